from . import images as images
