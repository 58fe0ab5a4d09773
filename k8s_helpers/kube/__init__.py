"""The Kubernetes API as kubectl speaks it: kubeconfig, requests, watches, streams, manifests."""
