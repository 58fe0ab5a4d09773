"""What the embedded cluster does and does not do as a production cluster would."""

from __future__ import annotations

from .base import SHORTENED, FidelityFact

FACTS = (
    FidelityFact(
        "Plan de contrôle",
        "etcd, kube-apiserver, kube-controller-manager et kube-scheduler sont les vrais programmes de Kubernetes ; "
        "ordonnancement, autoscaling, RBAC et admission sont donc ceux de la production. Quatre contrôleurs, qui "
        "n’auraient rien à faire ici (volumes réseau, appareils du nœud, types des politiques), n’y tournent pas.",
        real=True,
    ),
    FidelityFact(
        "API et kubectl",
        "L’API est complète : kubectl, Helm ou tout autre client y fonctionnent sans adaptation.",
        real=True,
    ),
    FidelityFact(
        "Kubelet",
        "Le kubelet est remplacé par un agent du cours, qui en suit les règles (sondes, redémarrages, volumes, "
        "arrêt progressif) et publie les mêmes événements.",
    ),
    FidelityFact(
        "ConfigMaps et Secrets montés",
        "L’agent en suit les changements par un watch et les écrit aussitôt ; un kubelet les relit après 60 à 90 s.",
    ),
    FidelityFact(
        "Délais du nœud",
        "L’agent voit aussitôt qu’un conteneur a démarré ou fini, ou qu’un ConfigMap qui manquait est là ; un kubelet "
        "met une seconde pour un conteneur, et jusqu’à 35 s pour un ConfigMap.",
    ),
    FidelityFact(
        "Journaux d’une vie passée",
        "`kubectl logs --previous` reste lisible pendant l’attente qui suit une mort ; un kubelet, qui n’a plus ce "
        "conteneur, répond alors `unable to retrieve container logs`.",
    ),
    FidelityFact(
        "Conteneurs",
        "Un conteneur est un groupe de processus de cette machine, avec ses propres fichiers là où Linux le permet ; "
        "il voit le noyau et le réseau de l’hôte.",
    ),
    FidelityFact(
        "Utilisateur des conteneurs",
        "Tous tournent sous le compte qui a lancé le cluster, et s’y voient root. runAsNonRoot refuse comme en "
        "production une image qui tournerait en root, drop et allowPrivilegeEscalation: false sont appliqués ; mais "
        "runAsUser, runAsGroup, fsGroup, les profils seccomp, AppArmor et SELinux, privileged et le USER d’une image "
        "restent sans effet : un événement NotEnforced nomme ceux qu’un pod demande.",
    ),
    FidelityFact(
        "Processus partagés entre conteneurs",
        "shareProcessNamespace et kubectl debug --target ne montrent pas les processus des autres conteneurs : "
        "chacun ne voit que les siens, et l’événement NotEnforced le dit.",
    ),
    FidelityFact(
        "emptyDir en mémoire",
        "C’est un vrai tmpfs, dont les fichiers comptent dans la limite de mémoire, au débit du premier conteneur qui "
        "peut y écrire ; au dépassement tout le conteneur est tué, comme avec les cgroups v2. Là où Linux ne permet "
        "pas de montage (isolation « prefix »), le pod reste en attente et l’événement FailedMount le dit.",
    ),
    FidelityFact(
        "Limites de stockage",
        "emptyDir.sizeLimit et ephemeral-storage évincent le pod comme en production ; l’espace est mesuré toutes les "
        "10 s, quand un kubelet peut le voir jusqu’à une minute plus tard.",
    ),
    FidelityFact(
        "Volumes d’image",
        "On y trouve les fichiers d’une image construite par le cours, sans ceux de sa base ; une image de base seule, "
        "qui n’est faite que des programmes de cette machine, est refusée par l’événement FailedMount.",
    ),
    FidelityFact(
        "Redémarrage de l’agent du nœud",
        "Les conteneurs meurent avec l’agent, pour qu’aucun processus ne survive au cluster : après un redémarrage, "
        "les init containers tournent de nouveau et RESTARTS augmente. Avec un vrai kubelet les conteneurs continuent.",
    ),
    FidelityFact(
        "Limites de mémoire et de processeur",
        "Elles sont tenues par l’agent, qui mesure et intervient, et non par les cgroups du noyau : le dépassement est "
        "constaté quelques dizaines de millisecondes plus tard.",
    ),
    FidelityFact(
        "Autoscaler",
        f"C’est le vrai, mais ses délais {SHORTENED}",
    ),
    FidelityFact(
        "Métriques",
        "L’agent les calcule au moment où on les demande, sur les deux dernières secondes au moins : elles ont moins "
        "de retard que celles de metrics-server.",
    ),
    FidelityFact(
        "Réseau",
        "Pods et Services ont des adresses de la boucle locale de cette machine : aucune NetworkPolicy n’y est "
        "appliquée, et rien n’est joignable depuis une autre machine.",
    ),
    FidelityFact(
        "Adresses des pods",
        "L’API montre 10.244.a.b (ou 10.243, 10.242…, selon le cluster) ; le pod lui-même écoute, et se voit dans "
        "status.podIP, à 127.244.a.b, la seule des deux qui mène quelque part sur cette machine. Le proxy HTTP et le "
        "serveur d’API comprennent les deux ; un pod hostNetwork est à 127.0.0.1, que le serveur d’API refuse de "
        "relayer.",
    ),
    FidelityFact(
        "Ports des pods",
        "Les pods n’ont pas de réseau à eux : un programme doit écouter à l’adresse de son pod, que donne la variable "
        "BIND_ADDR. Celui qui écoute partout (0.0.0.0) prend le port à toute la machine, et le second trouve « Address "
        "already in use » ; un port inférieur à 1024 est refusé à qui n’est pas root.",
    ),
    FidelityFact(
        "localhost d’un pod",
        "C’est celui de toute la machine : les conteneurs d’un pod se parlent par BIND_ADDR. Un programme qui n’écoute "
        "que sur 127.0.0.1 n’est pas joignable par « kubectl port-forward », qui mène à l’adresse du pod.",
    ),
    FidelityFact(
        "NodePorts et hostPorts",
        "De 30000 à 32767, comme en production, mais tous les clusters de cette machine se partagent 127.0.0.1 : un "
        "port déjà pris est dit par un événement (PortUnavailable), et le Service répond alors à l’adresse propre du "
        "nœud, 127.244.255.1 par exemple ; service_url() donne toujours la bonne.",
    ),
    FidelityFact(
        "Services, HTTP",
        "Un port inférieur à 1024 (http://vitrine/) ne peut pas être ouvert par qui n’est pas root : les conteneurs y "
        "vont par un proxy HTTP, que donne http_proxy. Un programme qui ignore cette variable (une connexion TCP "
        "brute, le HttpClient de Java) y est refusé ; un port à partir de 1024 lui répond.",
    ),
    FidelityFact(
        "Service sans personne derrière",
        "Un vrai cluster refuse la connexion (« connection refused »), et ne connaît pas un nom inconnu. Ici, c’est "
        "aussi un refus en TCP ; en HTTP, où le proxy a déjà pris la connexion, il la coupe (« connection reset by "
        "peer »), de même que devant un targetPort où personne n’écoute. Un port que le Service n’a pas est refusé "
        "aussitôt ; sur un vrai cluster, on l’attend souvent en vain.",
    ),
    FidelityFact(
        "Adresse du client, affinité",
        "Un serveur voit l’adresse du pod qui l’appelle, et sessionAffinity: ClientIP distingue les pods, si l’appel "
        "passe par le proxy HTTP. Une connexion TCP brute vient de 127.0.0.1 : tous les pods n’y sont qu’un client.",
    ),
    FidelityFact(
        "DNS",
        "Les noms des Services et des pods sont dans /etc/hosts, tenu à jour ; il n’y a pas de serveur DNS : "
        "resolv.conf est celui de cette machine, dnsPolicy et dnsConfig sont sans effet, nslookup ne trouve rien.",
    ),
    FidelityFact(
        "UDP et SCTP",
        "Un Service UDP répond à partir du port 1024 ; SCTP n’est servi par personne. Un événement (PortUnavailable) "
        "le dit.",
    ),
    FidelityFact(
        "Ingress",
        "Les règles qui se recouvrent se départagent comme la spécification le dit : le nom exact, puis le chemin le "
        "plus long, Exact avant Prefix, le plus ancien des Ingress. Traefik, sur kind, donne la priorité au texte de "
        "règle le plus long : Prefix /boutique y passe avant Exact /boutique.",
    ),
    FidelityFact(
        "kubectl get componentstatuses",
        "L’ordonnanceur et les contrôleurs y sont Unhealthy alors qu’ils tournent : le serveur d’API les cherche aux "
        "ports 10257 et 10259 de 127.0.0.1, qu’un seul cluster par machine pourrait prendre. Cette commande est "
        "dépréciée depuis Kubernetes 1.19 ; « k8s-lab status » dit la vérité.",
    ),
    FidelityFact(
        "Images",
        "Seules les images construites par le cours (Containerfile) peuvent tourner ; aucune n’est téléchargée d’un "
        "registre.",
    ),
    FidelityFact(
        "Nœuds",
        "Tous les nœuds sont simulés sur cette machine et s’en partagent le processeur et la mémoire.",
    ),
)

WITHOUT_NAMESPACES = (
    FidelityFact(
        "Chemins",
        "Les fichiers d’un conteneur sont dans un dossier de la machine, et ses chemins sont réécrits dans sa ligne de "
        "commande, ses variables et son dossier de travail. Un programme qui ouvre un chemin écrit dans son code ouvre "
        "celui de la machine : qu’il le prenne d’une variable, ou qu’il mette K8S_ROOT devant. /proc/mounts est celui "
        "de la machine.",
    ),
    FidelityFact(
        "Lecture seule",
        "readOnlyRootFilesystem est refusé (CreateContainerConfigError, avec la raison) ; un volume monté en lecture "
        "seule peut être écrit, et l’événement NotEnforced le dit. L’expérience volumes laisse sa "
        "colonne de côté.",
    ),
    FidelityFact(
        "Noms",
        "Une commande qui lit /etc/hosts voit celui du pod, et un programme Python y trouve les Services et son propre "
        "nom. Les autres programmes joignent les Services en HTTP (variable http_proxy) ; la commande hostname donne "
        "le nom de la machine.",
    ),
    FidelityFact(
        "Processus",
        "Un conteneur voit les processus de la machine et n’a pas de processus n° 1 : un programme qui n’écoute pas "
        "SIGTERM s’arrête aussitôt, sans attendre la fin du délai de grâce.",
    ),
)
"""What is not so besides where the kernel refuses namespaces to the containers (isolation `prefix`)."""
