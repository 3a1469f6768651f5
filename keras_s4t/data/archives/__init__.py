"""Files of real datasets as they are downloaded, and their checks."""
