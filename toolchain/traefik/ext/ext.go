// Package ext has the extension points of Traefik's dynamic configuration, empty as in Traefik's own repository:
// there it is a module of its own, which the module of Traefik replaces by a folder and does not publish.
package ext

// HTTP extends the HTTP configuration.
type HTTP struct{}

// Router extends a router.
type Router struct{}
