"""What a container's programs find in their environment."""
