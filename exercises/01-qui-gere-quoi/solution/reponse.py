{
    "noyau_en_iaas": "vous",
    "orchestrateur_en_caas": "le fournisseur",
    "image_en_caas": "vous",
    "exemplaires_en_paas": "vous",
    "exemplaires_en_faas": "le fournisseur",
    "donnees_en_saas": "vous",
}
