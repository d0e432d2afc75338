"""A FastAPI application that receives billing webhooks: run it with `uvicorn receiver_fastapi:app`."""

import os

from fastapi import FastAPI

from hookvitals import Event, Receiver
from hookvitals.integrations.asgi import lifespan

receiver = Receiver(
    "standard",  # or orum, hopnow, scalekit, svix, stripe, github, shopify, slack, openai, hmac …
    endpoint="billing",
    secrets=[os.environ["SIGNING_SECRET"]],
    collector=os.environ.get("HOOKVITALS_URL", "http://127.0.0.1:8700"),
    key=os.environ["HOOKVITALS_KEY"],
    state_path=os.environ.get("RECEIVER_STATE", "receiver.db"),
    inbox=True,  # acknowledge first, process after
)
app = FastAPI(lifespan=lifespan(receiver))
receiver.init_app(app, "/webhooks/billing")


@receiver.on("invoice.*")
def invoice(event: Event) -> None:
    print(event.id, event.data["data"]["total"])  # raise to have it tried again
