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
        "il voit le noyau de l’hôte.",
    ),
    FidelityFact(
        "Utilisateur des conteneurs",
        "USER, runAsUser, runAsGroup, fsGroup, supplementalGroups, runAsNonRoot, capabilities et "
        "allowPrivilegeEscalation font ce qu’ils font en production, là où cette machine accorde au compte une plage "
        "d’identifiants (newuidmap, /etc/subuid ; « k8s-lab doctor » le dit), ou si le cluster est celui de root. "
        "N’ont pas d’effet : les profils seccomp, AppArmor et SELinux. privileged ne donne rien au-delà des espaces de "
        "noms du conteneur. Un événement NotEnforced nomme ce qu’un pod demande en vain.",
    ),
    FidelityFact(
        "Utilisateurs, sans plage d’identifiants",
        "Un conteneur n’a alors qu’un identifiant, celui qu’il demande : runAsUser: 999 se voit 999, mais n’a pas "
        "d’autres groupes (fsGroup, supplementalGroups). Dans un conteneur root, setuid et chown répondent « fait » : "
        "un serveur se voit l’utilisateur qu’il est devenu et, si son image déclare un VOLUME, chez lui dans ses "
        "fichiers ; il garde ses droits, et ls et /proc montrent toujours root. nginx, redis, mariadb et postgres "
        "démarrent donc. Un noyau qui ne le permet pas (avant Linux 5.0) refuse setuid (événement NotEnforced).",
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
        "On y trouve les fichiers de l’image, toutes ses couches, en lecture seule ; d’une image construite sur "
        "host/…, les siens seuls, sans les programmes de cette machine. host/… elle-même, qui n’en a pas, est refusée "
        "(CreateContainerConfigError).",
    ),
    FidelityFact(
        "Redémarrage de l’agent du nœud",
        "Les conteneurs meurent avec l’agent, pour qu’aucun processus ne survive au cluster : après un redémarrage, "
        "les init containers tournent de nouveau et RESTARTS augmente. Avec un vrai kubelet les conteneurs continuent.",
    ),
    FidelityFact(
        "Limites de mémoire et de processeur",
        "Elles sont tenues par l’agent, qui mesure et intervient, et non par les cgroups du noyau : le dépassement est "
        "constaté quelques dizaines de millisecondes plus tard. Un programme lit ses limites dans /sys/fs/cgroup "
        "(memory.max, cpu.max, cpu.weight), mais pas ce qu’il consomme.",
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
        "NodePorts et hostPorts",
        "De 30000 à 32767, comme en production, mais tous les clusters de cette machine se partagent 127.0.0.1 : un "
        "port déjà pris est dit par un événement (PortUnavailable), et le Service répond alors à l’adresse propre du "
        "nœud, 127.244.255.1 par exemple ; service_url() donne toujours la bonne.",
    ),
    FidelityFact(
        "SCTP",
        "Aucun Service ni hostPort SCTP n’est servi ; un événement (PortUnavailable) le dit.",
    ),
    FidelityFact(
        "Ingress",
        "Les règles qui se recouvrent se départagent comme la spécification le dit : le nom exact, puis le chemin le "
        "plus long, Exact avant Prefix, le plus ancien des Ingress. Traefik, sur kind, donne la priorité au texte de "
        "règle le plus long : Prefix /boutique y passe avant Exact /boutique.",
    ),
    FidelityFact(
        "TLS d’un Ingress ou d’une Gateway",
        "Le certificat est choisi par le nom demandé (SNI), parmi ceux des Secrets nommés. Qui demande un autre nom "
        "reçoit un certificat par défaut, que personne ne reconnaît. Comme avec Traefik, un Ingress répond aussi en "
        "HTTP, sans redirection. HTTP/2 n’est pas proposé.",
    ),
    FidelityFact(
        "Gateway API",
        "GatewayClass, Gateway (HTTP au port 80, HTTPS au port 443), HTTPRoute et ReferenceGrant de la version 1.6.1 : "
        "tous les critères, les poids, les filtres qui changent des en-têtes, redirigent ou récrivent l’adresse ; les "
        "conditions disent ce qui ne va pas. Un autre filtre (`CORS`, `RequestMirror`) y est refusé. Sans effet : "
        "`timeouts`, `retry`, `GRPCRoute`, `TLSRoute` et `BackendTLSPolicy`.",
    ),
    FidelityFact(
        "kubectl get componentstatuses",
        "L’ordonnanceur et les contrôleurs y sont Unhealthy alors qu’ils tournent : le serveur d’API les cherche aux "
        "ports 10257 et 10259 de 127.0.0.1, qu’un seul cluster par machine pourrait prendre. Cette commande est "
        "dépréciée depuis Kubernetes 1.19 ; « k8s-lab status » dit la vérité.",
    ),
    FidelityFact(
        "Images",
        "Toute image d’un registre (aussi privé : imagePullSecrets), d’une archive (docker save, podman save, OCI) ou "
        "d’un Containerfile tourne avec ses propres fichiers et rien de la machine ; les empreintes sont vérifiées, "
        "et ErrImagePull donne les mots du registre.",
        real=True,
    ),
    FidelityFact(
        "Images host/…",
        "host/python, host/java, host/shell et host/pause n’existent que sur ce cluster : ce sont les programmes de "
        "cette machine, dans sa version, vus en lecture seule. Les images du cours sont construites dessus, sans rien "
        "télécharger, tant que la base que leur Containerfile nomme n’est pas là (« k8s-lab image list » le dit). Une "
        "autre version que celle de la machine est refusée, et aucune ne répond sous le nom d’une image qu’elle n’est "
        "pas.",
    ),
    FidelityFact(
        "Construire une image",
        "« k8s-lab image build » lit le Containerfile lui-même, sans moteur : une étape par FROM, une couche de plus "
        "que la base, RUN exécuté dans cette base. ONBUILD, SHELL, les documents intégrés (« << »), ADD d’une adresse "
        "ou d’une archive et RUN --mount autre que type=cache sont refusés, avec la ligne.",
    ),
    FidelityFact(
        "Nœuds",
        "Tous les nœuds sont simulés sur cette machine et s’en partagent le processeur et la mémoire.",
    ),
)

POD_NETWORK = (
    FidelityFact(
        "Réseau",
        "Chaque pod a son réseau à lui : son adresse (10.244.a.b), tous ses ports, même au-dessous de 1024, et son "
        "127.0.0.1, que ses conteneurs se partagent ; un serveur voit l’adresse du pod qui l’appelle.",
        real=True,
    ),
    FidelityFact(
        "Services",
        "TCP et UDP, tous les ports, sessionAffinity, internalTrafficPolicy, externalTrafficPolicy, "
        "trafficDistribution, EndpointSlices écrites à la main : comme kube-proxy. Une connexion à un Service sans "
        "personne derrière, ou dont aucun pod n’écoute au targetPort, est refusée.",
        real=True,
    ),
    FidelityFact(
        "Services, relayés",
        "C’est l’agent qui relaie, au lieu de règles du noyau : un serveur voit l’adresse du pod qui l’appelle, mais "
        "pas son port. Un Service dont l’un des pods n’écoute pas coupe les connexions qui lui reviennent "
        "(« connection reset by peer ») au lieu de les refuser ; un pod qui se met à écouter longtemps après ses "
        "voisins est joint jusqu’à une demi-seconde plus tard. Sans pod sur le nœud, la règle Local refuse, là où "
        "kube-proxy laisse attendre. externalIPs est sans effet.",
    ),
    FidelityFact(
        "NetworkPolicy",
        "Appliquée entre les pods, vers les Services et le DNS, là où le programme nft est installé (paquet "
        "nftables) ; ailleurs tout passe, et l’événement NotEnforced de la NetworkPolicy dit pourquoi. Le nœud "
        "(sondes, NodePorts vus de cette machine, pods hostNetwork) passe toujours.",
    ),
    FidelityFact(
        "DNS",
        "À 10.96.0.10 le nœud répond ce que CoreDNS répondrait (A, SRV, PTR, CNAME, NXDOMAIN…), et demande les autres "
        "noms à qui cette machine les demande ; resolv.conf et /etc/hosts sont ceux qu’un kubelet écrit, selon "
        "dnsPolicy et dnsConfig.",
        real=True,
    ),
    FidelityFact(
        "CoreDNS",
        "Le Service kube-dns est là, mais pas de pods coredns ni de Corefile à modifier : c’est l’agent qui répond. Si "
        "personne d’autre ne répond (pas d’internet), un nom que seul le cluster pourrait avoir (« inconnu », "
        "« web.boutique ») n’existe pas (NXDOMAIN), là où CoreDNS dirait SERVFAIL.",
    ),
    FidelityFact(
        "Réseau, d’ailleurs",
        "Un pod atteint internet là où slirp4netns est installé, par des connexions de cette machine ; ailleurs il "
        "reçoit « Network is unreachable ». Il n’atteint pas le 127.0.0.1 de cette machine, et rien du cluster n’est "
        "joignable depuis une autre.",
    ),
    FidelityFact(
        "Adresse du nœud",
        "status.hostIP et InternalIP (10.244.255.1) mènent au nœud depuis les pods ; depuis cette machine, les "
        "NodePorts sont à 127.0.0.1.",
    ),
    FidelityFact(
        "Ports d’un pod à partir de 49152",
        "Le nœud prend ces ports pour les réponses aux Services : un programme qui écoute à l’un d’eux est joint par "
        "son Service, par ses sondes et par port-forward, mais un autre pod qui va droit à son adresse y est refusé.",
    ),
)
"""What is so where each pod has a network of its own."""

HOST_NETWORK = (
    FidelityFact(
        "Réseau",
        "Pods et Services ont des adresses de la boucle locale de cette machine : aucune NetworkPolicy n’y est "
        "appliquée (l’événement NotEnforced le dit), et rien n’est joignable depuis une autre machine.",
    ),
    FidelityFact(
        "DNS",
        "Les noms des Services et des pods sont dans /etc/hosts, tenu à jour ; il n’y a pas de serveur DNS : "
        "resolv.conf est celui de cette machine, dnsPolicy et dnsConfig sont sans effet, nslookup ne trouve rien.",
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
        "Services, HTTP",
        "Un port inférieur à 1024 (http://vitrine/) ne peut pas être ouvert par qui n’est pas root : les conteneurs y "
        "vont par un proxy HTTP, que donne http_proxy. Un programme qui ignore cette variable (une connexion TCP "
        "brute, le HttpClient de Java) y est refusé ; un port à partir de 1024 lui répond. De même un Service UDP "
        "ne répond qu’à partir du port 1024 ; un événement (PortUnavailable) le dit.",
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
)
"""What is so instead where a pod cannot have a network of its own."""

WITHOUT_NAMESPACES = (
    FidelityFact(
        "Images des registres",
        "Seules les images host/… et celles qui sont construites dessus tournent ici : une image qui apporte ses "
        "propres fichiers demande un espace de montage. Elle est refusée (CreateContainerError), avec la raison.",
    ),
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
        "Un conteneur voit les processus de la machine, quoi que disent shareProcessNamespace et kubectl debug "
        "--target, et n’a pas de processus n° 1 : un programme qui n’écoute pas SIGTERM s’arrête "
        "aussitôt, sans attendre la fin du délai de grâce.",
    ),
)
"""What is not so besides where the kernel refuses namespaces to the containers (isolation `prefix`)."""
