"""What a kubelet decides. Pure: objects in, decisions out."""
