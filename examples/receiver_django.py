"""A Django project in one file that receives webhooks: `python receiver_django.py runserver --noreload`."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.urls import path

from hookvitals import Event, Receiver
from hookvitals.integrations.django import fresh_connections, view

# what your settings.py has
settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY=os.urandom(32).hex())

# what your urls.py gets
receiver = Receiver(
    "standard",  # or orum, hopnow, scalekit, svix, stripe, github, shopify, slack, openai, hmac …
    endpoint="billing",
    secrets=[os.environ["SIGNING_SECRET"]],
    collector=os.environ.get("HOOKVITALS_URL", "http://127.0.0.1:8700"),
    key=os.environ["HOOKVITALS_KEY"],
    state_path=os.environ.get("RECEIVER_STATE", "receiver.db"),
    inbox=True,  # acknowledge first, process after
)
urlpatterns = [path("webhooks/billing", view(receiver))]


@receiver.on("invoice.*")
@fresh_connections  # of the database, for a handler that the inbox's thread runs
def invoice(event: Event) -> None:
    print(event.id, event.data["data"]["total"])  # raise to have it tried again


if __name__ == "__main__":
    execute_from_command_line(sys.argv)
