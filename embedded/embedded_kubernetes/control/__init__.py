"""The life of a cluster: upstream's control plane and our nodes as processes under one supervisor."""
