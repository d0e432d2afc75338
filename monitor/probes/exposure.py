"""An endpoint as a stranger sees it: a POST without a signature, and a GET.

A receiver must be public, so what guards it is the signature alone: an unsigned POST is refused by the
receiver itself, with 401 or 400. A login, a firewall or a proxy that refuses instead would refuse the
provider as well; a 2xx means that anybody can make events. What is sent says that it is a probe and names no
event.
"""

import json
import re
from urllib.parse import urlsplit

from alerts.errors import RequestFailed
from alerts.http import Response
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.http import Requests, failed, result_of
from monitor.probes.target import ProbeTarget

BODY = json.dumps({"type": "hookvitals.probe", "note": "unsigned on purpose; refuse it with 401"}).encode()
REFUSED_BY_RECEIVER = (400, 401)
REFUSED_IN_OUR_FORM = (400, 401, 403, 429)
"""With a problem+json body: the receiver's own words, for instance to an address not on its list."""
CHALLENGES = re.compile(r"\b(basic|digest|negotiate|ntlm|bearer)\b", re.IGNORECASE)
LOGIN = re.compile(r"log-?in|sign-?in|sso|oauth|saml|auth", re.IGNORECASE)
FIREWALLS = (
    ("cf-mitigated", "", "Cloudflare"),
    ("x-sucuri-block", "", "Sucuri"),
    ("x-iinfo", "", "Imperva"),
    ("x-amzn-waf-action", "", "AWS WAF"),
    ("server", "cloudflare", "Cloudflare"),
    ("server", "sucuri", "Sucuri"),
    ("server", "akamaighost", "Akamai"),
    ("server", "awselb", "the AWS load balancer"),
    ("server", "cloudfront", "CloudFront"),
)
"""(header, part of its value, whose it is)."""
BLOCK_PAGE = re.compile(
    rb"request blocked|access denied|web application firewall|mod_security|attention required", re.IGNORECASE
)


def probe_unsigned(target: ProbeTarget, client: Requests, clock: Clock, timeout_s: float) -> ProbeResult:
    """ok when the receiver itself refuses an unsigned POST. Never raises for what the network does."""
    started_at = clock.now()
    headers = {"Content-Type": "application/json", "Hookvitals-Probe": "unsigned"}
    try:
        answer = client.request("POST", target.receives_at, headers, BODY, timeout_s)
    except RequestFailed as exc:
        return failed(target, ProbeKind.UNSIGNED, started_at, exc)
    return result_of(target, ProbeKind.UNSIGNED, started_at, answer, unsigned_verdict(answer))


def probe_method(target: ProbeTarget, client: Requests, clock: Clock, timeout_s: float) -> ProbeResult:
    """ok when a GET is refused with 405. Never raises for what the network does."""
    started_at = clock.now()
    try:
        answer = client.request("GET", target.receives_at, {"Hookvitals-Probe": "method"}, b"", timeout_s)
    except RequestFailed as exc:
        return failed(target, ProbeKind.METHOD, started_at, exc)
    error = None if answer.status == 405 else f"a GET was answered {answer.status}, not 405"
    return result_of(target, ProbeKind.METHOD, started_at, answer, error)


def unsigned_verdict(answer: Response) -> str | None:
    """Why the answer to an unsigned POST is not the receiver's own refusal; None when it is."""
    status, challenge = answer.status, answer.headers.get("www-authenticate", "")
    if 200 <= status < 300:
        return f"an unsigned POST was accepted with {status}: anybody can make events"
    if status == 407 or (status == 401 and CHALLENGES.search(challenge)):
        scheme = CHALLENGES.search(challenge)
        asked = f"asks for a {scheme[1].capitalize()} login" if scheme else "asks for a login"
        return f"an unsigned POST was refused by a login, not by the receiver: {status} {asked}"
    if 300 <= status < 400:
        return f"an unsigned POST was redirected with {status}{_to_login(answer)}: no provider follows that"
    if status in REFUSED_IN_OUR_FORM and _is_problem(answer):
        return None
    firewall = _firewall(answer)
    if status in (502, 503, 504):
        by = f" ({firewall})" if firewall else ""
        return f"an unsigned POST met a proxy{by} without its receiver: {status}"
    if status in (403, 406, 429) and firewall:
        return f"an unsigned POST was refused by {firewall}, not by the receiver: {status}"
    if status not in REFUSED_BY_RECEIVER:
        return f"an unsigned POST was answered {status}, not 401 or 400: it is not clear who refused it"
    return None


def _to_login(answer: Response) -> str:
    location = answer.headers.get("location", "")
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    return " to a login" if LOGIN.search(parts.netloc + parts.path) else ""


def _firewall(answer: Response) -> str:
    """Whose refusal it looks like; "" when nothing says so."""
    for header, part, name in FIREWALLS:
        if header in answer.headers and part in answer.headers[header].lower():
            return name
    return "a firewall" if BLOCK_PAGE.search(answer.body) else ""


def _is_problem(answer: Response) -> bool:
    return answer.headers.get("content-type", "").startswith("application/problem+json")
