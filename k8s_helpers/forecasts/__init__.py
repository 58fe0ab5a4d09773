"""What must happen, from manifests and Kubernetes' rules alone: intervals that measures are held against. Pure."""
