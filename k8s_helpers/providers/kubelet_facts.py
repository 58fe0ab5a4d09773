"""What the embedded cluster's node does otherwise than a kubelet, beside what concerns the whole cluster."""

from __future__ import annotations

from .base import Fact

NODE_FACTS = (
    Fact(
        "Utilisateur des conteneurs",
        False,
        "Tous tournent sous le compte qui a lancé le cluster, et s’y voient root. runAsNonRoot refuse comme en "
        "production une image qui tournerait en root, drop et allowPrivilegeEscalation: false sont appliqués ; mais "
        "runAsUser, runAsGroup, fsGroup, les profils seccomp, AppArmor et SELinux, privileged et le USER d’une image "
        "restent sans effet : un événement NotEnforced nomme ceux qu’un pod demande.",
    ),
    Fact(
        "Processus partagés entre conteneurs",
        False,
        "shareProcessNamespace et kubectl debug --target ne montrent pas les processus des autres conteneurs : "
        "chacun ne voit que les siens, et l’événement NotEnforced le dit.",
    ),
    Fact(
        "emptyDir en mémoire",
        False,
        "C’est un vrai tmpfs, dont les fichiers comptent dans la limite de mémoire, au débit du premier conteneur qui "
        "peut y écrire ; au dépassement tout le conteneur est tué, comme avec les cgroups v2. Là où Linux ne permet "
        "pas de montage (isolation « prefix »), le pod reste en attente et l’événement FailedMount le dit.",
    ),
    Fact(
        "Limites de stockage",
        False,
        "emptyDir.sizeLimit et ephemeral-storage évincent le pod comme en production ; l’espace est mesuré toutes les "
        "10 s, quand un kubelet peut le voir jusqu’à une minute plus tard.",
    ),
    Fact(
        "Volumes d’image",
        False,
        "On y trouve les fichiers d’une image construite par le cours, sans ceux de sa base ; une image de base seule, "
        "qui n’est faite que des programmes de cette machine, est refusée par l’événement FailedMount.",
    ),
    Fact(
        "Redémarrage de l’agent du nœud",
        False,
        "Les conteneurs meurent avec l’agent, pour qu’aucun processus ne survive au cluster : après un redémarrage, "
        "les init containers tournent de nouveau et RESTARTS augmente. Avec un vrai kubelet les conteneurs continuent.",
    ),
)
