{
    "service": ...,
    "reseau": ...,
    "ensemble": ...,
}
