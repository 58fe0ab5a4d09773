"""Images that come from registries and files: their names, their parts, and the store that keeps them."""
