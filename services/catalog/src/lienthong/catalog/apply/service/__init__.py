"""What applying manifests does: reading what it is planned against, and carrying it out."""
