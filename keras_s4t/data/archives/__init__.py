"""Real datasets as they are downloaded: their files, and checks of them."""
