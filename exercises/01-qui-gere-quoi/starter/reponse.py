{
    "noyau_en_iaas": ...,
    "orchestrateur_en_caas": ...,
    "image_en_caas": ...,
    "exemplaires_en_paas": ...,
    "exemplaires_en_faas": ...,
    "donnees_en_saas": ...,
}
