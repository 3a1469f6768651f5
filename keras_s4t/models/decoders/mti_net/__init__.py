"""MTI-Net (Vandenhende et al., ECCV 2020): tasks interact at every scale."""
