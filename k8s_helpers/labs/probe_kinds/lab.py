"""The lab `probe_kinds`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="probe_kinds",
    title="Quatre genres de sondes (http, tcp, exec, grpc) devant la même panne",
    folder="10_sondes",
)
