"""What each figure means, in the words of its hint, once for every page. monitor.figures has the formulas."""

DELIVERIES = (
    "Requests that a sender made and a receiver answered. A redelivery of the same event counts again."
)
OUTCOMES = "Every record by what became of it: deliveries and attempts. Replays and canaries are left out."
EVENT_SUCCESS = (
    "succeeded ÷ (succeeded + dead lettered). Replays excluded. An event still being retried is in neither."
)
ERROR_RATE = (
    "(failed + dead lettered) ÷ (succeeded + failed + dead lettered) attempts. Replays and canaries excluded."
)
ACK_SUCCESS = (
    "Deliveries answered with an expected 2xx ÷ deliveries that were not rejected: what the sender believes."
)
P95 = "Time the handler took, of all attempts: 95 of 100 were at least this fast. Exact to 2.2 %."
QUEUE = "Events that wait in the receivers' inboxes now, by their latest sample."
LETTERS = "Events that were given up and have not been resolved by a replay or by hand."
FIRING = "Alerts that fire now in this environment."
