"""What is known of each source system, by name.

Values from the providers' public documents; where those disagree with each other, or say nothing, `note` says
so. `register` adds a source or changes one for all receivers, the `profile` of a Receiver for that one alone.
"""

from typing import Any, Dict

from hookvitals import challenges
from hookvitals.profile import DAY_S, HOUR_S, Profile

__all__ = ["PROFILES", "Profile", "profile_of", "register"]

_HUBSPOT: Dict[str, Any] = {
    "ack_deadline_s": 5.0,
    "retry_horizon_s": DAY_S,
    "events_path": ".",
    "id_path": "eventId+subscriptionId",
    "type_path": "subscriptionType",
    "created_at_path": "occurredAt",
    "note": "Sends a list of up to 100: each of its events is one here. Comes again up to 10 times in 24 h. "
    "eventId alone is not always unique, its documents say: subscriptionId is added.",
}

PROFILES: Dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "orum",
            scheme="orum",
            ack_deadline_s=30.0,
            retry_horizon_s=DAY_S,
            max_age_s=3 * DAY_S,
            id_path="event_id",
            type_path="event_type",
            created_at_path="created_at",
            resource_path="event_data.id",
            version_path="event_data.updated_at",
            allowed_addresses={
                "sandbox": ("34.232.246.7/32",),
                "production": ("34.231.148.64/32", "3.234.102.51/32", "54.221.230.177/32"),
            },
            note="Up to 15 redeliveries in 24 h, in no order. created_at is signed as its exact text.",
        ),
        Profile(
            "hopnow",
            scheme="hopnow",
            ack_deadline_s=5.0,
            retry_horizon_s=DAY_S,
            max_age_s=3 * DAY_S,
            created_at_path="created",
            resource_path="data.id",
            version_path="data.updated",
            note="The guide asks for an answer within 5 s, the reference within 30 s; the shorter is taken. "
            "Bare hex in the guide, sha256=<hex> in the reference: both are read.",
        ),
        Profile(
            "scalekit",
            scheme="scalekit",
            ack_deadline_s=10.0,
            ack_status=201,
            created_at_path="occurred_at",
            resource_path="data.id",
            note="Up to 3 retries in one page and 6 attempts over 22 min in another. "
            "Its SDK signs as Standard Webhooks, its guide as t=,v1=: the header's shape decides.",
        ),
        Profile(
            "standard",
            scheme="standard",
            ack_deadline_s=15.0,
            retry_horizon_s=76 * HOUR_S,
            id_path="header:webhook-id",
            created_at_path="timestamp",
            note="Senders wait 15 to 30 s and may come again for 75 h 35 min; 410 asks them to stop.",
        ),
        Profile(
            "svix",
            scheme="svix",
            ack_deadline_s=15.0,
            id_path="header:svix-id",
            created_at_path="timestamp",
            note="Comes again for 27 h 35 min; three days are remembered, for redeliveries by hand.",
        ),
        Profile(
            "openai",
            scheme="openai",
            ack_deadline_s=5.0,
            id_path="header:webhook-id",
            created_at_path="created_at",
            note="The documents ask for an answer within a few seconds and give no number; 5 s are ours. "
            "Comes again for 72 h.",
        ),
        Profile(
            "stripe",
            scheme="stripe",
            ack_deadline_s=10.0,
            created_at_path="created",
            note="The documents ask for a quick answer and give no number; 10 s are ours. Comes again for "
            "three days, in a sandbox three times within hours. `created` has whole seconds, too coarse to "
            "order by.",
        ),
        Profile(
            "github",
            scheme="github",
            ack_deadline_s=10.0,
            id_path="header:x-github-delivery",
            type_path="header:x-github-event",
            note="Never comes again by itself; a person may redeliver for three days, under the same "
            "delivery id. No time is signed. The webhook's content type must be application/json. GitHub "
            "Enterprise Server waits 30 s.",
        ),
        Profile(
            "gitlab",
            scheme="gitlab",
            ack_deadline_s=10.0,
            id_path="header:idempotency-key",
            type_path="header:x-gitlab-event",
            note="Sends its token itself and signs nothing. GitLab 19.0 signs as Standard Webhooks where the "
            'webhook has a signing token: profile={"scheme": "standard"}, and that token the secret. The id '
            "needs GitLab 17.4; before, set id_path to header:x-gitlab-event-uuid. GitLab.com switches a "
            "webhook off that fails four times in a row.",
        ),
        Profile(
            "shopify",
            scheme="shopify",
            ack_deadline_s=5.0,
            retry_horizon_s=2 * DAY_S,
            id_path="header:x-shopify-webhook-id",
            type_path="header:x-shopify-topic",
            created_at_path="header:x-shopify-triggered-at",
            note="Comes again 8 times in 4 h; older documents say 19 times in 48 h, which is remembered. No "
            "time is signed: the header that names one is not part of the signature. A subscription made "
            "by the API is removed after 8 failures in a row.",
        ),
        Profile(
            "slack",
            scheme="slack",
            ack_deadline_s=3.0,
            retry_horizon_s=DAY_S,
            id_path="event_id",
            type_path="event.type",
            created_at_path="event_time",
            challenge=challenges.slack,
            note="Events API. Comes again three times, the last after 5 min; a day is remembered. "
            "Slash commands and buttons are forms, not JSON, and not for this receiver.",
        ),
        Profile(
            "zoom",
            scheme="zoom",
            ack_deadline_s=3.0,
            expected_statuses=(200, 204),
            statuses={"rate_limited": 503},
            retry_horizon_s=DAY_S,
            id_path="body:sha256",
            type_path="event",
            created_at_path="event_ts",
            challenge=challenges.zoom,
            note="Names no event id: the digest of the body stands for it. Takes 200 and 204 for received. "
            "Comes again three times within an hour and a half, on 500 and above alone, so what is over the "
            "rate is answered 503; a day is remembered.",
        ),
        Profile(
            "paddle",
            scheme="paddle",
            ack_deadline_s=5.0,
            expected_statuses=(200,),
            id_path="event_id",
            type_path="event_type",
            created_at_path="occurred_at",
            note="Paddle Billing. Takes 200 alone for received; comes again for three days. Its own library "
            "takes times up to 5 s old; 300 s are taken here, as for all.",
        ),
        Profile(
            "square",
            scheme="square",
            ack_deadline_s=10.0,
            retry_horizon_s=DAY_S,
            id_path="event_id",
            created_at_path="created_at",
            note="Signs the notification URL: give `public_url` behind a proxy. No time is signed.",
        ),
        Profile(
            "linear",
            scheme="linear",
            ack_deadline_s=5.0,
            tolerance_s=60.0,
            expected_statuses=(200,),
            retry_horizon_s=DAY_S,
            id_path="header:linear-delivery",
            created_at_path="createdAt",
            note="Takes 200 alone for received; comes again after a minute, an hour and six hours. 60 s of "
            "tolerance are its own advice; whether a later try has a new time is not documented: where they "
            "are refused as `timestamp_too_old`, set tolerance_s to 25560.",
        ),
        Profile(
            "paypal",
            scheme="paypal",
            ack_deadline_s=20.0,
            tolerance_s=259_500.0,
            type_path="event_type",
            created_at_path="create_time",
            note="The documents name no deadline; 20 s are ours. Comes again 25 times in three days, under "
            "the same id, and as receivers report under the time of the first attempt: hence the tolerance.",
        ),
        Profile(
            "sns",
            scheme="sns",
            ack_deadline_s=15.0,
            statuses={"rate_limited": 503, "unknown_key": 503},
            tolerance_s=3900.0,
            retry_horizon_s=HOUR_S,
            id_path="MessageId",
            type_path="Type",
            created_at_path="Timestamp",
            challenge=challenges.sns,
            subscribe_url=challenges.sns_subscribe_url,
            note="Comes again three times within a minute unless its delivery policy says otherwise, for an "
            "hour at most, under the time of the first attempt: hence the tolerance. A 4xx it takes for the "
            "last word, so what is over the rate, or signed by a certificate that is not to be had, is "
            "answered 503. A topic's subscription is confirmed only where the receiver has "
            "`confirm_subscriptions=True`; otherwise it is recorded as `challenge`, to be confirmed by "
            "hand. `Type` is Notification for every message; what it says is text in `Message`. Raw message "
            "delivery signs nothing and is refused.",
        ),
        Profile(
            "zendesk",
            scheme="zendesk",
            ack_deadline_s=10.0,
            statuses={"failed": 409},
            retry_horizon_s=DAY_S,
            created_at_path="time",
            note="Events. Comes again three times on 409, 5 times after a timeout, and on 429 and 503 that "
            "name a Retry-After below 60 s; never on 500, so a handler that fails is answered 409. A day is "
            "remembered. Its documents say 12 s now and have said 10 s; the shorter is taken. A trigger's or "
            "an automation's body is of your own making: set id_path and type_path, or "
            "id_path=header:x-zendesk-webhook-invocation-id.",
        ),
        Profile(
            "plaid",
            scheme="plaid",
            ack_deadline_s=10.0,
            retry_horizon_s=DAY_S,
            id_path="body:sha256",
            type_path="webhook_type+webhook_code",
            note="Names no event id: the digest of the body stands for it, so that two equal webhooks, such "
            "as two SYNC_UPDATES_AVAILABLE of one item within a day, are one. Shorten retry_horizon_s, or "
            "fetch what changed from Plaid whenever one comes. Comes again for 24 h, but not while more than "
            "nine in ten of the day's were refused.",
        ),
        Profile(
            "twilio",
            scheme="twilio",
            body="form",
            ack_deadline_s=15.0,
            retry_horizon_s=HOUR_S,
            id_path="header:i-twilio-idempotency-token",
            type_path="SmsStatus",
            note="Signs the URL: give `public_url` behind a proxy. Comes again once where no connection came "
            "about, otherwise where the webhook's URL says so (#rc=, #rp=), all within 15 s; an hour is "
            "remembered. `SmsStatus` is a message's; for calls set "
            "type_path to CallStatus. A call that waits for TwiML is no event and not for this receiver.",
        ),
        Profile(
            "sendgrid",
            scheme="sendgrid",
            ack_deadline_s=10.0,
            retry_horizon_s=DAY_S,
            events_path=".",
            id_path="sg_event_id",
            type_path="event",
            created_at_path="timestamp",
            note="Sends a list: each of its events is one here. The documents name no deadline; 10 s are "
            "ours, and a list may hold hundreds: use an inbox. Comes again for 24 h; whether a later try is "
            "signed anew is not documented.",
        ),
        Profile("hubspot", scheme="hubspot", **_HUBSPOT),
        Profile("hubspot_v1", scheme="hubspot_v1", **_HUBSPOT),
        Profile(
            "hubspot_v2",
            scheme="hubspot_v2",
            ack_deadline_s=30.0,
            retry_horizon_s=3 * DAY_S,
            id_path="body:sha256",
            type_path="objectType",
            note="A workflow's webhook: one object, without an id of the event, whose digest stands for it, "
            "and without a type: set type_path. Signs the URL: give `public_url` behind a proxy. Never comes "
            "again on a 4xx but 429.",
        ),
        Profile(
            "adyen",
            scheme="adyen",
            ack_deadline_s=10.0,
            retry_horizon_s=30 * DAY_S,
            events_path="notificationItems",
            id_path="NotificationRequestItem.pspReference+NotificationRequestItem.eventCode"
            "+NotificationRequestItem.success",
            type_path="NotificationRequestItem.eventCode",
            created_at_path="NotificationRequestItem.eventDate",
            ack_body="[accepted]",
            note="Standard webhooks. Answered [accepted], which older accounts demand. Comes again for up "
            "to 30 days. Adyen tells duplicates by eventCode and pspReference; `success` is added, as both "
            "may come for one payment. Only eight fields of an item are signed: see `adyen` among the "
            "schemes.",
        ),
        Profile(
            "adyen_platform",
            scheme="adyen_platform",
            ack_deadline_s=10.0,
            retry_horizon_s=30 * DAY_S,
            id_path="body:sha256",
            created_at_path="timestamp",
            note="Names no event id in every type: the digest of the body stands for it. Comes again for up "
            "to 30 days.",
        ),
        Profile(
            "intercom",
            scheme="intercom",
            ack_deadline_s=5.0,
            statuses={"rate_limited": 503},
            retry_horizon_s=HOUR_S,
            type_path="topic",
            created_at_path="created_at",
            challenge=challenges.intercom,
            handshake=challenges.head,
            note="Comes again once, a minute later; an hour is remembered. On a 429 it keeps everything back "
            "for an hour and more, so what is over the rate is answered 503. Asks with HEAD before it takes "
            "the URL, and sends pings that have no id: both are answered 200.",
        ),
        Profile(
            "typeform",
            scheme="typeform",
            ack_deadline_s=30.0,
            retry_horizon_s=DAY_S,
            id_path="event_id",
            type_path="event_type",
            created_at_path="form_response.submitted_at",
            note="Comes again for about 10 h on 408, 423, 429 and 503, three or four times otherwise; 404 "
            "and 410 switch the webhook off. No time is signed.",
        ),
        Profile(
            "vercel",
            scheme="vercel",
            ack_deadline_s=10.0,
            retry_horizon_s=DAY_S,
            created_at_path="createdAt",
            note="Comes again for up to 24 h. The documents name no deadline; 10 s are ours. No time is "
            "signed.",
        ),
        Profile(
            "meta",
            scheme="meta",
            ack_deadline_s=5.0,
            expected_statuses=(200,),
            retry_horizon_s=7 * DAY_S,
            id_path="body:sha256",
            type_path="object",
            handshake=challenges.meta,
            note="Pages, Instagram, WhatsApp. Names no event id: the digest of the body stands for it. One "
            "body may hold many `entry`, which one handler gets together: their forms differ by product. "
            "Give `verify_token` as the dashboard was given it: the GET that asks for it is answered. Takes "
            "200 alone for received; comes again for 36 h, for WhatsApp for seven days, all remembered. "
            "Messenger waits 5 s and unsubscribes what fails for an hour; the other products' documents name "
            "no deadline, and 5 s are taken for all.",
        ),
        Profile(
            "discord",
            scheme="discord",
            ack_deadline_s=3.0,
            ack_status=204,
            retry_horizon_s=HOUR_S,
            id_path="body:sha256",
            type_path="event.type",
            created_at_path="event.timestamp",
            challenge=challenges.discord,
            note="Webhook events; its PING is answered. Names no event id: the digest of the body stands "
            "for it. Comes again for 10 min; an hour is remembered. An interaction waits for an answer of "
            "its own and is not for this receiver.",
        ),
        Profile(
            "line",
            scheme="line",
            ack_deadline_s=2.0,
            retry_horizon_s=DAY_S,
            events_path="events",
            id_path="webhookEventId",
            created_at_path="timestamp",
            note="Sends a list: each of its events is one here, and the console's test sends an empty one. "
            "Comes again only where that is switched on, for a time that is not documented; a day is "
            "remembered. No time is signed.",
        ),
        Profile(
            "outpost",
            scheme="outpost",
            ack_deadline_s=5.0,
            retry_horizon_s=3 * DAY_S,
            id_path="header:x-outpost-event-id",
            type_path="header:x-outpost-topic",
            note="Deadline and retries are set by who runs it. By default it waits 5 s and comes again 10 "
            "times within 8.5 h; three days are remembered, for redeliveries by hand. The prefix of its "
            "headers may be another; where it signs as Standard Webhooks the source is `standard`.",
        ),
        Profile(
            "mailgun",
            scheme="mailgun",
            ack_deadline_s=10.0,
            expected_statuses=(200,),
            retry_horizon_s=9 * HOUR_S,
            id_path="signature.token",
            type_path="event-data.event",
            created_at_path="event-data.timestamp",
            note="Signs a time and a token and nothing else of the body: the token is the id, so that it "
            "counts once. Takes 200 alone for received; comes again for 8 h and 5 min. The documents name no "
            "deadline; 10 s are ours. A route that forwards mail posts a form: set body to form, the "
            "scheme's setting form to True, id_path to token, type_path to a field of it.",
        ),
        Profile(
            "truelayer",
            scheme="truelayer",
            ack_deadline_s=10.0,
            id_path="event_id",
            note="Signs the path, which nobody should guess, and not the host. Deadline and retries are not "
            "in the documents we read: 10 s and three days are ours.",
        ),
        Profile("hmac", scheme="hmac"),
        Profile("generic", scheme="hmac", note="The same as `hmac`."),
        Profile(
            "timestamped",
            scheme="timestamped",
            created_at_path="created",
            note="Stripe's form: t=<seconds>,v1=<hex> in one header.",
        ),
    )
}


def profile_of(name: str) -> Profile:
    """The profile of a source system. Raises ValueError for an unknown name, listing the known ones."""
    if name not in PROFILES:
        raise ValueError(f"unknown source system {name!r}; known are {', '.join(sorted(PROFILES))}")
    return PROFILES[name]


def register(profile: Profile) -> None:
    """Makes a source known by its name, or changes a known one, for receivers made from now on.

    register(Profile("acme", scheme="hmac", id_path="meta.id", type_path="meta.kind"))
    register(dataclasses.replace(profile_of("stripe"), ack_deadline_s=20.0))
    """
    PROFILES[profile.name] = profile
