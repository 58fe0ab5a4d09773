"""How much the cluster's DNS is asked and what it answers, in the words of CoreDNS' `prometheus` plugin."""

from __future__ import annotations

import contextlib
from collections import Counter

from .wire import Query, RecordType, ResponseCode

_CODES = {
    ResponseCode.NO_ERROR: "NOERROR",
    ResponseCode.FORMAT_ERROR: "FORMERR",
    ResponseCode.SERVER_FAILURE: "SERVFAIL",
    ResponseCode.NAME_ERROR: "NXDOMAIN",
    ResponseCode.NOT_IMPLEMENTED: "NOTIMP",
    ResponseCode.REFUSED: "REFUSED",
    ResponseCode.BAD_VERSION: "BADVERS",
}
_KINDS = frozenset((RecordType.A, RecordType.AAAA, RecordType.MX, RecordType.SOA, RecordType.CNAME))
_COUNTED = _KINDS | {RecordType.TXT, RecordType.NS, RecordType.SRV, RecordType.PTR}


class Traffic:
    """Counts since the start."""

    def __init__(self) -> None:
        self._questions: Counter[tuple[str, str]] = Counter()
        self._answers: Counter[tuple[str, str]] = Counter()

    def asked(self, query: Query, protocol: str) -> None:
        """Count a question that came by `udp` or `tcp`."""
        kind = query.record_type
        name = RecordType(kind).name if kind in _COUNTED else "other"
        self._questions[protocol, name] += 1

    def answered(self, code: ResponseCode) -> None:
        """Count an answer of the server's own."""
        self._answers["kubernetes", _CODES[code]] += 1

    def passed_on(self, packet: bytes) -> None:
        """Count an answer of another server."""
        with contextlib.suppress(ValueError):
            self._answers["forward", _CODES[ResponseCode(packet[3] & 0xF)]] += 1

    def render(self) -> str:
        """Return the counts in Prometheus' text format."""
        questions = (
            _line("requests", f'family="1",proto="{protocol}"', f'type="{kind}",view=""', count)
            for (protocol, kind), count in sorted(self._questions.items())
        )
        answers = (
            _line("responses", f'plugin="{plugin}",rcode="{code}"', 'view=""', count)
            for (plugin, code), count in sorted(self._answers.items())
        )
        return "".join(
            (
                "# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.\n"
                "# TYPE coredns_dns_requests_total counter\n",
                *questions,
                "# HELP coredns_dns_responses_total Counter of response status codes.\n"
                "# TYPE coredns_dns_responses_total counter\n",
                *answers,
            )
        )


def _line(what: str, first: str, last: str, count: int) -> str:
    return f'coredns_dns_{what}_total{{{first},server="dns://:53",{last},zone="."}} {count}\n'
