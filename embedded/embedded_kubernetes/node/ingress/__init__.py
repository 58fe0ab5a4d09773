"""The way in from outside: the controller of Ingress and Gateway API, on an HTTP and an HTTPS port of 127.0.0.1."""
