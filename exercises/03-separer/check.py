"""Scales the site to three pods, writes notes through the Service, then reads them as several visitors."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Answer, Bench, Finding, ServiceAddress, count, get, post

SITES, NOTES, READERS = 3, 9, 12
SITE_S = 20.0


def check(bench: Bench) -> Finding:
    """Return whether every visitor reads every note once there are three sites."""
    objects = bench.answer["manifeste"]
    named = {(item["kind"], item["metadata"]["name"]) for item in objects}
    if not named >= {("Deployment", "carnet"), ("Service", "carnet")}:
        return Finding("incomplet", "il manque le Deployment ou le Service nommé « carnet ».")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.progress.step(f"Le site passe à {SITES} pods")
    bench.namespace.scale("deployment", "carnet", SITES)
    bench.wait_settled()
    if (behind := len(bench.chosen("carnet"))) > SITES:
        text = f"{behind} pods derrière le Service « carnet », pour {SITES} sites"
        return Finding("porte-close", f"{text} : une partie des visiteurs trouve porte close.")
    bench.wait_answers("carnet")
    address = bench.namespace.service_url("carnet", timeout_s=bench.remaining_s)
    _wait_all_sites(bench, address)
    bench.progress.step(f"{NOTES} notes écrites, {READERS} visiteurs")
    writes = [post(address, "/notes", {"text": str(note)}) for note in range(NOTES)]
    reads = [get(address, "/notes") for _ in range(READERS)]
    if refused := [answer for answer in (*writes, *reads) if not answer]:
        return Finding("injoignable", f"le site répond, sans sa base : {_error(refused[0])}")
    databases = {answer.json()["database"] for answer in writes}
    return _judge(bench, databases, [len(answer.json()["notes"]) for answer in reads])


def _judge(bench: Bench, databases: set[str], seen: list[int]) -> Finding:
    if len(databases) == 1 and set(seen) == {NOTES}:
        return Finding(None, f"{SITES} sites, une base, et chacun lit les {NOTES} notes.")
    text = (
        f"{count(len(databases), 'base')} pour {NOTES} notes ; les visiteurs en ont lu de "
        f"{min(seen)} à {max(seen)}."
    )
    sites = {pod["metadata"]["name"] for pod in bench.namespace.list("pod", "app=carnet")}
    return Finding("dupliquee" if databases <= sites else "trois-bases", text)


def _wait_all_sites(bench: Bench, address: ServiceAddress) -> None:
    """Wait until each site has answered: a Service learns of its new pods one after the other."""
    seen: set[str | None] = set()

    def all_seen() -> bool:
        seen.add(get(address, "/api/info").require().pod)
        return len(seen) == SITES

    bench.until(all_seen, SITE_S, every_s=0.05)


def _error(answer: Answer) -> str:
    if not answer.status:
        answer.require()
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError):
        return f"HTTP {answer.status}"
