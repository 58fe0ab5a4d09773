"""The health checks of containers."""
