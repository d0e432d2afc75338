"""Where `cryptography` is not installed: shared secrets work, public keys say which extra to install."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["cryptography"] = None  # as if it were not installed
from hookvitals import MissingDependency, make
from hookvitals.schemes import SCHEMES

SECRETS = {
    "sns": "arn:aws:sns:eu-west-1:123456789012:orders", "plaid": "client:secret", "discord": "00" * 32,
    "adyen": "00" * 32, "adyen_platform": "00" * 32,
    "truelayer": "https://webhooks.truelayer.com/.well-known/jwks",
}
lacking = []
for name, kind in SCHEMES.items():
    try:
        make(name, [SECRETS.get(name, "QUJD")])
    except MissingDependency as exc:
        assert "pip install 'hookvitals[crypto]'" in str(exc), exc
        lacking.append(name)
assert sorted(lacking) == sorted(name for name, kind in SCHEMES.items() if kind.extra == "crypto"), lacking
try:
    make("standard", ["whpk_" + "A" * 43 + "="])
except MissingDependency:
    print("said")
"""


def test_a_scheme_of_public_keys_names_the_extra_and_the_others_work_without() -> None:
    command = [sys.executable, "-c", PROGRAM]

    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert (done.stdout.strip(), done.stderr) == ("said", "")
