"""Acts as the account: reads its Secret for real, then asks the API server what else it would be allowed."""

from __future__ import annotations

from k8s_helpers.exercises.controls import ApiStatusError, Bench, Finding

ACCOUNT, OTHER = "caisse", "curieux"
SECRET, NOT_ITS = "paiement", "paie"
DRAWER = "tiroir"
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
    bench.progress.step("Et que peut-il d’autre ?")
    if bench.may(OTHER, "get", "secrets", SECRET):
        return Finding("autre-compte", f"le compte « {OTHER} » peut lire « {SECRET} » aussi.")
    if bench.may(ACCOUNT, "get", "secrets", NOT_ITS):
        return Finding("autre-secret", f"« {ACCOUNT} » peut lire aussi le Secret « {NOT_ITS} ».")
    if bench.may(ACCOUNT, "list", "secrets") or bench.may(ACCOUNT, "watch", "secrets"):
        return Finding("lister", f"« {ACCOUNT} » peut lister tous les Secrets, avec leurs valeurs.")
    for verb in WRITES:
        if bench.may(ACCOUNT, verb, "secrets", SECRET):
            return Finding("modifier", f"« {ACCOUNT} » a le droit « {verb} » sur « {SECRET} ».")
    for verb, resource in ELSE:
        if bench.may(ACCOUNT, verb, resource, SECRET):
            return Finding(
                "autre-chose", f"« {ACCOUNT} » a le droit « {verb} » sur « {resource} »."
            )
    if not bench.may(ACCOUNT, "update", "configmaps", DRAWER):
        return Finding("tiroir", f"« {ACCOUNT} » ne peut pas mettre à jour « {DRAWER} ».")
    if bench.may(ACCOUNT, "update", "configmaps", NOT_ITS):
        return Finding("autre-chose", f"« {ACCOUNT} » peut changer d’autres ConfigMaps.")
    asked = 5 + len(WRITES) + len(ELSE)
    return Finding(
        None,
        f"« {ACCOUNT} » lit « {SECRET} » et met à jour « {DRAWER} » ; "
        f"{asked} autres demandes lui sont refusées, ou le sont aux autres.",
    )
