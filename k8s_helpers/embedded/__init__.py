"""A whole Kubernetes cluster out of plain processes of one ordinary user."""
