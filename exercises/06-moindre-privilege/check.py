"""Acts as the account: reads its Secret for real, then asks the API server what else it would be allowed."""

from __future__ import annotations

from k8s_helpers.exercises.controls import ApiSession, ApiStatusError, Bench, Finding

ACCOUNT, OTHER = "caisse", "curieux"
SECRET, NOT_ITS = "paiement", "paie"
DRAWER = "tiroir"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WRITES = ("update", "patch", "delete")
ELSE = (
    ("create", "secrets"),
    ("get", "configmaps"),
    ("get", "pods"),
    ("create", "pods"),
    ("get", "serviceaccounts"),
    ("create", "serviceaccounts/token"),
)


def check(bench: Bench) -> Finding:
    """Return the first right that is missing, or too many."""
    bench.namespace.apply(bench.given("comptes.yaml"))
    bench.progress.step("Application de vos droits")
    bench.apply(bench.answer["droits"])
    bench.wait_rights()
    bench.progress.step(f"Le compte « {ACCOUNT} » lit le Secret « {SECRET} »")
    try:
        bench.read_as(ACCOUNT, "secret", SECRET)
    except ApiStatusError as error:
        refusal = error.status.get("message", error.found)
        return Finding("refuse-encore", f"« {ACCOUNT} » n’a pas pu lire « {SECRET} ». {refusal}")
    account, other = bench.account(ACCOUNT), bench.account(OTHER)
    bench.progress.step("Et que peut-il d’autre ?")
    if _may(bench, other, "get", "secrets", SECRET):
        return Finding("autre-compte", f"le compte « {OTHER} » peut lire « {SECRET} » aussi.")
    if _may(bench, account, "get", "secrets", NOT_ITS):
        return Finding("autre-secret", f"« {ACCOUNT} » peut lire aussi le Secret « {NOT_ITS} ».")
    if _may(bench, account, "list", "secrets") or _may(bench, account, "watch", "secrets"):
        return Finding("lister", f"« {ACCOUNT} » peut lister tous les Secrets, avec leurs valeurs.")
    for verb in WRITES:
        if _may(bench, account, verb, "secrets", SECRET):
            return Finding("modifier", f"« {ACCOUNT} » a le droit « {verb} » sur « {SECRET} ».")
    for verb, resource in ELSE:
        if _may(bench, account, verb, resource, SECRET):
            return Finding(
                "autre-chose", f"« {ACCOUNT} » a le droit « {verb} » sur « {resource} »."
            )
    if not _may(bench, account, "update", "configmaps", DRAWER):
        return Finding("tiroir", f"« {ACCOUNT} » ne peut pas mettre à jour « {DRAWER} ».")
    if _may(bench, account, "update", "configmaps", NOT_ITS):
        return Finding("autre-chose", f"« {ACCOUNT} » peut changer d’autres ConfigMaps.")
    asked = 5 + len(WRITES) + len(ELSE)
    return Finding(
        None,
        f"« {ACCOUNT} » lit « {SECRET} » et met à jour « {DRAWER} » ; "
        f"{asked} autres demandes lui sont refusées, ou le sont aux autres.",
    )


def _may(bench: Bench, account: ApiSession, verb: str, resource: str, name: str = "") -> bool:
    """Return what the API server answers to "would I be allowed…?", as `kubectl auth can-i` asks it."""
    resource, _, subresource = resource.partition("/")
    attributes = {
        "namespace": bench.namespace.name,
        "verb": verb,
        "resource": resource,
        "subresource": subresource,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(account.request("POST", REVIEW, body=review)["status"]["allowed"])
