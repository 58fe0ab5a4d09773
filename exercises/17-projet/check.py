"""Uses the workshop as its clients would, on good days and bad ones, and gives each criterion its points."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from k8s_helpers.exercises.controls import (
    ApiStatusError,
    Bench,
    Criterion,
    Finding,
    K8sHelpersError,
    ServiceAddress,
    Traffic,
    WaitTimeoutError,
    containers,
    count,
    failed,
    get,
    graded,
    images,
    number,
    post,
    ready,
    rolled_out,
)
from k8s_helpers.labs.autoscaling import complaint

DOOR = "controle-web"
"""A Service that the check adds, and removes: the way from this machine to the student's pods."""

LONG_S = 34.0
"""An order longer than the 30 s that a pod is given to end where its manifest says nothing."""
UP_S, DONE_S, LEAVES_S, RESTARTS_S, BACK_S, SCALES_S, SERVED_S = (
    30.0,
    15.0,
    12.0,
    20.0,
    30.0,
    90.0,
    8.0,
)
UPDATED_S = 60.0
"""Longest waits, for a machine that has other things to do: where all is well, each is over in a few seconds."""
UPDATE_RATE_PER_S = 40.0
LOAD_RATE_PER_S, LOAD_MS = 20.0, 25
SHARED = ("TITLE", "BASE_URL")
PASSWORD = "BASE_PASSWORD"

Seen = tuple[bool, str]
"""Whether a criterion is met, and what was seen."""


def check(bench: Bench) -> Finding:
    """Return the points of a project, by what it does."""
    project = Project(bench)
    if not project.workloads:
        return Finding("intact", "l’espace de noms ne contient encore aucun des trois programmes.")
    with project.door():
        found = project.measure()
    return graded(
        [
            Criterion("tourne", "Les trois programmes tournent ensemble", 2, *found["tourne"]),
            Criterion("configuration", "Configuré par un ConfigMap", 1, *found["configuration"]),
            Criterion("secret", "Le mot de passe reste secret", 2, *found["secret"]),
            Criterion(
                "persistance", "Rien n’est perdu avec le pod de la base", 3, *found["persistance"]
            ),
            Criterion("sondes", "Un pod malade est écarté, ou relancé", 2, *found["sondes"]),
            Criterion("exposition", "Joignable par son nom", 1, *found["exposition"]),
            Criterion("ressources", "Demandes et limites écrites", 1, *found["ressources"]),
            Criterion("autoscaling", "Le web grandit avec la charge", 2, *found["autoscaling"]),
            Criterion("mise-a-jour", "Mis à jour sans requête perdue", 3, *found["mise-a-jour"]),
            Criterion("ouvrier", "Aucune commande perdue ni faite deux fois", 3, *found["ouvrier"]),
        ]
    )


class Project:
    """A student's workshop, and what is tried on it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.web: ServiceAddress | None = None
        self.long: int | None = None
        self.workloads: dict[str, dict[str, Any]] = {}
        for kind in ("deployment", "statefulset"):
            for item in self.bench.namespace.list(kind):
                if item["metadata"]["name"] in ("web", "ouvrier", "base"):
                    self.workloads[item["metadata"]["name"]] = {**item, "kind": kind}

    @contextlib.contextmanager
    def door(self) -> Iterator[None]:
        """Open a way to the web's pods, where it has a Service, and give it back its first version at the end."""
        namespace = self.bench.namespace
        services = {item["metadata"]["name"]: item for item in namespace.list("service")}
        before = self._image()
        try:
            if (selector := services.get("web", {}).get("spec", {}).get("selector")) and before:
                ports = [
                    {"port": 80, "targetPort": services["web"]["spec"]["ports"][0]["targetPort"]}
                ]
                spec = {"type": "NodePort", "selector": selector, "ports": ports}
                made = {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "metadata": {"name": DOOR},
                    "spec": spec,
                }
                namespace.apply(made)
                with contextlib.suppress(K8sHelpersError):
                    self.web = namespace.service_url(DOOR, timeout_s=UP_S)
            yield
        finally:
            namespace.delete_object("service", DOOR)
            if before and self._image() != before:
                self._set_image(before)

    def measure(self) -> dict[str, Seen]:
        """Return what was seen for each criterion, in the order that costs the least time."""
        found = {
            "configuration": self._configuration(),
            "secret": self._secret(),
            "ressources": self._resources(),
            "tourne": self._step("Une commande, de bout en bout", self._runs),
            "exposition": self._step("Une requête par l’Ingress", self._exposed),
        }
        if not found["tourne"][0]:
            late = (False, "pas mesuré : l’atelier ne tourne pas encore.")
            rest = ("persistance", "sondes", "autoscaling", "mise-a-jour", "ouvrier")
            return found | dict.fromkeys(rest, late)
        self._step("Un ouvrier est arrêté pendant qu’il imprime", self._interrupt_worker)
        found["sondes"] = self._step("Un pod du web tombe malade", self._probes)
        found["mise-a-jour"] = self._step("Mise à jour du web, sous trafic", self._updated)
        found["autoscaling"] = self._step("La charge monte", self._scaled)
        found["ouvrier"] = self._step("Les commandes se terminent", self._all_done)
        found["persistance"] = self._step("Le pod de la base est supprimé", self._kept)
        return found

    def _step(self, words: str, look: Callable[[], Seen]) -> Seen:
        """Return what is seen; a criterion that the check has no time for any more is not met."""
        self.bench.progress.step(words)
        try:
            return look()
        except WaitTimeoutError:
            return False, "le contrôle n’en a pas eu le temps : ce qui précède a trop duré."

    # --- what the objects say

    def _sources(self, name: str) -> Mapping[str, str]:
        """Return where each variable of a program comes from: "configMap", "secret" or "pod"."""
        kinds: dict[str, str] = {}
        for container in containers(self._template(name)):
            for source in container.get("envFrom") or ():
                for reference, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
                    if reference in source:
                        with contextlib.suppress(ApiStatusError):
                            held = self.bench.namespace.get(kind, source[reference]["name"])
                            kinds |= dict.fromkeys(held.get("data") or {}, kind)
            for variable in container.get("env") or ():
                chosen = variable.get("valueFrom") or {}
                known = {"configMapKeyRef": "configmap", "secretKeyRef": "secret"}
                kinds[variable["name"]] = next(
                    (known[key] for key in chosen if key in known), "pod"
                )
        return kinds

    def _template(self, name: str) -> dict[str, Any]:
        spec = self.workloads.get(name, {}).get("spec", {}).get("template", {}).get("spec", {})
        return {"kind": "Pod", "spec": spec}

    def _configuration(self) -> Seen:
        wrong = [
            f"{variable} de « {name} »"
            for name, variables in (("web", SHARED), ("ouvrier", SHARED[1:]))
            for variable in variables
            if self._sources(name).get(variable) != "configmap"
        ]
        if wrong:
            return False, f"ne vient pas d’un ConfigMap : {', '.join(wrong)}."
        return True, "TITLE et BASE_URL viennent d’un ConfigMap."

    def _secret(self) -> Seen:
        names = ("web", "ouvrier", "base")
        wrong = [name for name in names if self._sources(name).get(PASSWORD) != "secret"]
        if wrong:
            return False, f"le mot de passe ne vient pas d’un Secret : {', '.join(wrong)}."
        configured = [
            item
            for item in self.bench.namespace.list("configmap")
            if PASSWORD in item.get("data", {})
        ]
        if configured:
            return False, "un ConfigMap garde aussi le mot de passe : tout le monde l’y lit."
        return True, "les trois programmes le lisent dans un Secret."

    def _resources(self) -> Seen:
        wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
        missing = [
            f"{part}.{resource} de « {name} »"
            for name in ("web", "ouvrier", "base")
            for container in containers(self._template(name)) or [{}]
            for part, resource in wanted
            if resource not in ((container.get("resources") or {}).get(part) or {})
        ]
        if missing:
            return False, f"il manque {', '.join(missing[:3])}{'…' if missing[3:] else ''}."
        return True, "chaque conteneur dit ce qu’il demande, et sa limite de mémoire."

    # --- what it does

    def _orders(self) -> dict[int, dict[str, Any]] | None:
        """Return the orders by number, as clients read them; None where they cannot."""
        assert self.web is not None
        answer = get(self.web, "/commandes", timeout_s=3.0)
        return {item["id"]: item for item in answer.json()["orders"]} if answer else None

    def _order(self, text: str, seconds: float) -> int | None:
        assert self.web is not None
        answer = post(self.web, "/commandes", {"text": text, "seconds": seconds})
        return int(answer.json()["id"]) if answer else None

    def _state(self, number: int | None) -> str:
        return str((self._orders() or {}).get(number or 0, {}).get("state", ""))

    def _runs(self) -> Seen:
        lacking = [name for name in ("web", "ouvrier", "base") if name not in self.workloads]
        if lacking:
            return False, f"il n’y a pas de « {' », « '.join(lacking)} »."
        if self.web is None:
            return False, "aucun pod prêt derrière le Service « web »."
        made = self.bench.until(lambda: self._order("contrôle", 0.2), UP_S, every_s=0.5)
        if made is None:
            answer = get(self.web, "/commandes", timeout_s=3.0)
            return (
                False,
                f"le web ne prend pas de commande (HTTP {answer.status}) : {answer.body[:120]}",
            )
        if not self.bench.until(lambda: self._state(made) == "faite", DONE_S):
            return False, f"la commande {made} n’est pas faite après {DONE_S:.0f} s."
        return True, f"la commande {made} est passée du web à la base, puis à un ouvrier."

    def _exposed(self) -> Seen:
        if not self.bench.namespace.list("ingress"):
            return False, "il n’y a pas d’Ingress."
        host = f"{self.bench.values['hote']}.example.com"
        url = self.bench.cluster.ingress_url(self.bench.progress)
        answer = self.bench.until(
            lambda: get(url, "/api/info", headers={"Host": host}, timeout_s=3.0),
            SERVED_S,
            every_s=0.5,
        )
        if not answer or '"atelier"' not in answer.body:
            return False, f"{host} répond HTTP {answer.status}."
        return True, f"{host} mène au web."

    def _interrupt_worker(self) -> Seen:
        """Begin a long order, then delete the pod that prints it."""
        long = self.bench.until(lambda: self._order("une grande affiche", LONG_S), DONE_S)
        self.bench.until(lambda: self._state(long) == "en cours", DONE_S)
        worker = (self._orders() or {}).get(long or 0, {}).get("by", "")
        if worker in [pod["metadata"]["name"] for pod in self.bench.namespace.list("pod")]:
            self.bench.namespace.delete_object("pod", worker)
            self.long = long
        return self.long is not None, worker

    def _probes(self) -> Seen:
        pods = sorted(self.bench.behind(DOOR))
        if not pods:
            return False, "aucun pod du web n’est prêt."
        away, sick = pods[0], pods[-1]
        restarts = self._restarts(sick)
        self._switch(sick, "live", "off")
        if away != sick:
            self._switch(away, "ready", "off")
        left = away == sick or bool(
            self.bench.until(lambda: away not in self.bench.behind(DOOR), LEAVES_S)
        )
        restarted = self.bench.until(lambda: self._restarts(sick) > restarts, RESTARTS_S)
        if away == sick:  # one pod only: the second switch waits for the restart
            left = bool(restarted) and self._leaves_alone(sick)
        self._switch(away, "ready", "on")
        if not restarted:
            self._switch(sick, "live", "on")
        words = (
            "écarté du Service"
            if left
            else "toujours dans le Service quand il dit n’être pas prêt",
            "relancé" if restarted else "jamais relancé quand il dit n’être plus vivant",
        )
        return bool(left and restarted), f"un pod malade est {words[0]}, et {words[1]}."

    def _leaves_alone(self, pod: str) -> bool:
        self.bench.until(lambda: pod in self.bench.behind(DOOR), LEAVES_S)
        self._switch(pod, "ready", "off")
        return bool(self.bench.until(lambda: pod not in self.bench.behind(DOOR), LEAVES_S))

    def _switch(self, pod: str, probe: str, way: str) -> None:
        path = f"{self.bench.namespace.path('pod', pod)}:8080/proxy/admin/{probe}/{way}"
        with contextlib.suppress(
            K8sHelpersError
        ):  # it may be on its way out: then it is no longer sick
            self.bench.cluster.api.request("POST", path)

    def _restarts(self, pod: str) -> int:
        with contextlib.suppress(ApiStatusError):
            statuses = self.bench.namespace.get("pod", pod)["status"].get("containerStatuses") or ()
            return sum(status["restartCount"] for status in statuses)
        return 0

    def _image(self) -> str | None:
        with contextlib.suppress(ApiStatusError):
            web = self.bench.namespace.get("deployment", "web")
            return str(web["spec"]["template"]["spec"]["containers"][0]["image"])
        return None

    def _set_image(self, image: str) -> None:
        name = containers(self._template("web"))[0]["name"]
        spec = {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}
        self.bench.namespace.patch("deployment", "web", {"spec": spec})

    def _updated(self) -> Seen:
        new = images.ensure(self.bench.cluster, "atelier", "v2", self.bench.progress)
        self.bench.until(lambda: rolled_out(self.bench.namespace.get("deployment", "web")), BACK_S)
        with self.bench.observe(DOOR, UPDATE_RATE_PER_S) as seen:
            seen.mark("apply")
            self._set_image(new)
            over = self.bench.until(self._on_new, UPDATED_S)
            seen.mark("complete")
        run = seen.run()
        lost, sent = failed(run.requests), number(len(run.requests))
        if not over:
            return False, f"la mise à jour n’est pas finie après {UPDATED_S:.0f} s."
        if lost:
            return False, f"{count(len(lost), 'requête perdue', 'requêtes perdues')} sur {sent}."
        return True, f"aucune requête perdue sur {sent}."

    def _on_new(self) -> bool:
        """Return whether the web is updated, and every old pod gone."""
        leaving = any("deletionTimestamp" in pod["metadata"] for pod in self._web_pods())
        return not leaving and rolled_out(self.bench.namespace.get("deployment", "web"))

    def _web_pods(self) -> list[dict[str, Any]]:
        chosen = self.bench.chosen(DOOR)
        return [
            pod for pod in self.bench.namespace.list("pod") if pod["metadata"]["name"] in chosen
        ]

    def _kept(self) -> Seen:
        if not [
            item
            for item in self.bench.namespace.list("service")
            if item["metadata"]["name"] == "base"
        ]:
            return False, "il n’y a pas de Service « base »."
        before = self.bench.until(self._orders, BACK_S) or {}
        pods = self.bench.chosen("base")
        uids = {pod["metadata"]["uid"] for pod in self.bench.namespace.list("pod")}
        for pod in pods:
            self.bench.namespace.delete_object("pod", pod)
        self.bench.until(lambda: self._new_base(uids), BACK_S)
        after = self.bench.until(
            self._orders, BACK_S, lambda orders: orders is not None, every_s=0.5
        )
        if after is None:
            return False, f"la base ne répond plus, {BACK_S:.0f} s après la suppression de son pod."
        kept = len(before.keys() & after.keys())
        words = (
            f"{kept} sur {count(len(before), 'commande')} après la suppression du pod de la base."
        )
        return kept == len(before) > 0, words

    def _new_base(self, before: set[str]) -> bool:
        chosen = self.bench.chosen("base")
        pods = [
            pod for pod in self.bench.namespace.list("pod") if pod["metadata"]["name"] in chosen
        ]
        return bool(pods) and all(
            pod["metadata"]["uid"] not in before and ready(pod) for pod in pods
        )

    def _scaled(self) -> Seen:
        scalers = [
            item["metadata"]["name"]
            for item in self.bench.namespace.list("hpa")
            if (item["spec"]["scaleTargetRef"]["kind"], item["spec"]["scaleTargetRef"]["name"])
            == ("Deployment", "web")
        ]
        if not scalers or self.web is None:
            return False, "il n’y a pas d’autoscaler pour le Deployment « web »."
        address = self.web.at(f"apercu?ms={LOAD_MS}")
        with Traffic(address, rate_per_s=LOAD_RATE_PER_S, max_duration_s=SCALES_S + 5):
            wanted, least, blind = self.bench.until(
                lambda: self._wanted(scalers[0]),
                SCALES_S,
                lambda seen: (
                    seen[0] > seen[1]
                    or ("missing request" in seen[2] and self.bench.names_a_pod(seen[2]))
                ),
                every_s=0.5,
            )
        if wanted <= least:
            why = f" ({blind})" if blind else ""
            return False, f"sous la charge, l’autoscaler ne veut toujours que {wanted} pod(s){why}."
        return True, f"sous la charge, l’autoscaler passe de {least} à {wanted} pods."

    def _wanted(self, name: str) -> tuple[int, int, str]:
        """Return how many pods the autoscaler wants, how many at least, and what it complains of."""
        scaler = self.bench.namespace.get("hpa", name)
        least = scaler["spec"].get("minReplicas", 1)
        return scaler.get("status", {}).get("desiredReplicas", 0), least, complaint(scaler)

    def _all_done(self) -> Seen:
        if (number_of := self.long) is None:
            return False, "aucun ouvrier n’a pris la longue commande."

        orders: dict[int, dict[str, Any]] = {}

        def decided() -> bool:
            nonlocal orders
            orders = self._orders() or orders  # a web that loses requests may lose this one too
            done = bool(orders) and all(item["state"] == "faite" for item in orders.values())
            return done or bool(_twice(orders, number_of))

        self.bench.until(decided, LONG_S + DONE_S, every_s=0.5)
        if twice := _twice(orders, number_of):
            begun = max(item["begun"] for item in twice)
            return (
                False,
                f"la commande de {LONG_S:.0f} s a été commencée {begun} fois : son ouvrier n’a pas pu la finir.",
            )
        left = [item for item in orders.values() if item["state"] != "faite"]
        if left or number_of not in orders:
            return False, f"{count(len(left) or 1, 'commande')} sans affiche à la fin."
        return (
            True,
            f"l’ouvrier arrêté a fini sa commande de {LONG_S:.0f} s ; chacune est faite une fois.",
        )


def _twice(orders: Mapping[int, Mapping[str, Any]], first: int) -> list[Mapping[str, Any]]:
    """Return the orders, from a first one on, that a second worker had to begin again."""
    return [item for item in orders.values() if item["begun"] > 1 and item["id"] >= first]
