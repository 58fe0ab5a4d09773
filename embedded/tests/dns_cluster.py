"""A cluster held still, for what its DNS answers."""

DOMAIN = "cluster.local"
NAMESPACES = {"default", "shop", "kube-system"}


def service(name, namespace="shop", cluster_ip="10.96.0.7", **spec):
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP"},
        {"name": "admin", "port": 81, "protocol": "TCP"},
    ]
    plain = {"type": "ClusterIP", "clusterIP": cluster_ip, "ports": ports}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {**plain, **spec}}


def external(name, target):
    return service(name, cluster_ip="", type="ExternalName", externalName=target, ports=[])


def endpoint(address, hostname=None, *, ready=True):
    return {"addresses": [address], "hostname": hostname, "conditions": {"ready": ready}}


def endpoints(*items, ports=({"name": "http", "port": 8080, "protocol": "TCP"},), kind="IPv4"):
    return {"addressType": kind, "endpoints": list(items), "ports": list(ports)}


class Table:
    """Services and slices held still."""

    def __init__(self, *pairs):
        self.pairs = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): (one, slices)
            for one, *slices in pairs
        }

    def subscribe(self, listener):
        self.listener = listener
        listener(frozenset(self.pairs))

    def service(self, key):
        return self.pairs.get(key, (None,))[0]

    def slices(self, key):
        return tuple(self.pairs[key][1]) if key in self.pairs else ()

    def put(self, key, pair):
        self.pairs[key] = pair
        self.listener(frozenset({key}))


PAIRS = (
    (service("web"), endpoints(endpoint("10.244.0.2"), endpoint("10.244.0.3"))),
    (
        service("peers", cluster_ip="None"),
        endpoints(
            endpoint("10.244.0.2", "srv-0"),
            endpoint("10.244.0.3", "srv-1"),
            endpoint("10.244.0.4", "srv-2", ready=False),
            endpoint("10.244.0.5"),
        ),
    ),
    (service("none", cluster_ip="None"),),
    (service("quiet", cluster_ip="None", ports=[]), endpoints(endpoint("10.244.0.9"), ports=())),
    (service("six", cluster_ip="None"), endpoints(endpoint("fd00::2:0"), kind="IPv6")),
    (service("two", cluster_ip="10.96.0.9", clusterIPs=["10.96.0.9", "fd00::9"]),),
    (external("out", f"web.shop.svc.{DOMAIN}"),),
    (external("further", f"out.shop.svc.{DOMAIN}."),),
    (external("away", "www.example.org"),),
    (external("further-away", f"away.shop.svc.{DOMAIN}"),),
    (external("nowhere", f"no.shop.svc.{DOMAIN}"),),
    (external("circle", f"ring.shop.svc.{DOMAIN}"),),
    (external("ring", f"circle.shop.svc.{DOMAIN}"),),
    (external("number", "192.0.2.7"),),
    (service("kube-dns", "kube-system", "10.96.0.10"), endpoints(endpoint("10.96.0.10"))),
)
