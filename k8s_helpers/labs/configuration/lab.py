"""The lab `configuration`, as the registry knows it."""

from ..lab import Explained, Lab

LAB = Lab(
    name="configuration",
    title="Le changement d’un ConfigMap, vu par les pods",
    folder="06_configmaps_et_secrets",
    explained={
        "configmap.file.delay": Explained(
            "configmap : fichier monté : délai",
            "le kubelet ne relit un pod que toutes les 60 à 90 s, et le changement arrive n’importe quand entre "
            "deux ; le nœud du cluster embarqué suit le ConfigMap par un watch et l’écrit aussitôt",
        ),
    },
)
