"""The provider of kind clusters: Docker or Podman, and the command `kind`."""
