"""Images built from Containerfiles without a container engine, and where they are kept."""
