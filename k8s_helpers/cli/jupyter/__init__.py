"""JupyterLab as the course opens it, and what it leaves in notebooks."""
