"""A body of every source as its public documents show it, and what is to be recorded of it."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """headers: besides those of the signature. id, type: of its events; None, of their digest."""

    body: bytes
    id: str | None
    type: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def event_id(self) -> str:
        return hashlib.sha256(self.body).hexdigest() if self.id is None else self.id


SAMPLES: dict[str, Sample] = {
    "paypal": Sample(
        b'{"id":"WH-2WR32451HC0233532-67976317FL4543714","create_time":"2027-01-15T08:00:00.000Z",'
        b'"resource_type":"sale","event_type":"PAYMENT.SALE.COMPLETED","summary":"A successful sale payment",'
        b'"resource":{"id":"80021663DE681814L","state":"completed"},"event_version":"1.0"}',
        "WH-2WR32451HC0233532-67976317FL4543714", "PAYMENT.SALE.COMPLETED",
    ),
    "sns": Sample(b"Hello world!", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "Notification"),
    "zendesk": Sample(
        b'{"account_id":22129848,"detail":{"email":"x@example.com","id":"6596848315901"},'
        b'"event":{"current":null},"id":"2b24ef10-19d2-4740-93cd-c98c8aeb5f28",'
        b'"subject":"zen:user:6596848315901","time":"2027-01-15T07:59:58Z",'
        b'"type":"zen:event-type:user.created","zendesk_event_version":"2022-06-20"}',
        "2b24ef10-19d2-4740-93cd-c98c8aeb5f28", "zen:event-type:user.created",
    ),
    "plaid": Sample(
        b'{"environment":"production","initial_update_complete":true,'
        b'"item_id":"wz666MBjYWTp2PDzzggYhM6oWWmBb",'
        b'"webhook_code":"SYNC_UPDATES_AVAILABLE","webhook_type":"TRANSACTIONS"}',
        None, "TRANSACTIONS.SYNC_UPDATES_AVAILABLE",
    ),
    "twilio": Sample(
        b"ToCountry=US&SmsMessageSid=SM1&NumMedia=0&SmsStatus=received&Body=Hello+there&From=%2B14017122661",
        "9a2f6b1e-token", "received",
        {
            "I-Twilio-Idempotency-Token": "9a2f6b1e-token",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        },
    ),
    "sendgrid": Sample(
        b'[{"email":"example@test.com","timestamp":1800000000,'
        b'"smtp-id":"<14c5d75ce93.dfd.64b469@ismtpd-555>",'
        b'"event":"delivered","category":["cat facts"],"sg_event_id":"ZGVsaXZlcmVkLTA",'
        b'"sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}]\r\n',
        "ZGVsaXZlcmVkLTA", "delivered",
    ),
    "hubspot": Sample(
        b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1799999990000,'
        b'"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":123,'
        b'"changeSource":"CRM","propertyName":"email","propertyValue":"x@example.com"}]',
        "1.12345", "contact.propertyChange",
    ),
    "hubspot_v2": Sample(b'{"objectType":"CONTACT","vid":3234574,"properties":{}}', None, "CONTACT"),
    "adyen": Sample(
        b'{"live":"false","notificationItems":[{"NotificationRequestItem":{"eventCode":"AUTHORISATION",'
        b'"success":"true","eventDate":"2027-01-15T08:59:58+01:00","merchantAccountCode":"TestMerchant",'
        b'"pspReference":"7914073381342284","merchantReference":"TestPayment-1407325143704",'
        b'"amount":{"value":1130,"currency":"EUR"}}}]}',
        "7914073381342284.AUTHORISATION.true", "AUTHORISATION",
    ),
    "adyen_platform": Sample(
        b'{"data":{"balancePlatform":"YOUR_PLATFORM","accountHolder":{"id":"AH1"}},"environment":"test",'
        b'"timestamp":"2027-01-15T08:59:58+01:00","type":"balancePlatform.accountHolder.created"}',
        None, "balancePlatform.accountHolder.created",
    ),
    "intercom": Sample(
        b'{"type":"notification_event","app_id":"a86dr8yl","data":{"type":"notification_event_data",'
        b'"item":{}},'
        b'"links":{},"id":"notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b3","topic":"contact.created",'
        b'"delivery_status":"pending","delivery_attempts":1,"delivered_at":0,"first_sent_at":1799999998,'
        b'"created_at":1799999998,"self":null}',
        "notif_ccd8a4d0-f965-11e3-a367-c779cae3e1b3", "contact.created",
    ),
    "typeform": Sample(
        b'{"event_id":"LtWXD3crgy","event_type":"form_response","form_response":{"form_id":"lT4Z3j",'
        b'"token":"a3a12ec67a1365927098a606107fac15","submitted_at":"2027-01-15T07:59:58Z","answers":[]}}',
        "LtWXD3crgy", "form_response",
    ),
    "vercel": Sample(
        b'{"id":"evt_8uKZ","type":"deployment.created","createdAt":1799999998000,"region":null,'
        b'"payload":{"team":{"id":"team_1"}}}',
        "evt_8uKZ", "deployment.created",
    ),
    "meta": Sample(
        b'{"object":"whatsapp_business_account","entry":[{"id":"8856996819413533","changes":[{"field":'
        b'"messages","value":{"messaging_product":"whatsapp"}}]}]}',
        None, "whatsapp_business_account",
    ),
    "discord": Sample(
        b'{"version":1,"application_id":"1234560123453231555","type":1,"event":{"type":'
        b'"APPLICATION_AUTHORIZED","timestamp":"2027-01-15T07:59:58.117862","data":{"scopes":[]}}}',
        None, "APPLICATION_AUTHORIZED",
    ),
    "line": Sample(
        b'{"destination":"xxxxxxxxxx","events":[{"type":"message","message":{"type":"text",'
        b'"id":"14353798921116",'
        b'"text":"Hello, world"},"timestamp":1799999998260,"source":{"type":"user",'
        b'"userId":"U80696558e1aa831"},'
        b'"replyToken":"757913772c4646b784d4b7ce46d12671","mode":"active","webhookEventId":'
        b'"01FZ74A0TDDPYRVKNK77XKC3ZR","deliveryContext":{"isRedelivery":false}}]}',
        "01FZ74A0TDDPYRVKNK77XKC3ZR", "message",
    ),
    "outpost": Sample(
        b'{"user_id":"userid"}', "evt_1", "user.created",
        {"X-Outpost-Event-Id": "evt_1", "X-Outpost-Topic": "user.created"},
    ),
    "mailgun": Sample(
        b'{"signature":{"token":"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0",'
        b'"timestamp":"1800000000",'
        b'"signature":""},"event-data":{"event":"opened","id":"Ase7i2zsRYeDXztHGENqRA",'
        b'"timestamp":1799999998.123,"recipient":"alice@example.com"}}',
        "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0", "opened",
    ),
    "truelayer": Sample(
        b'{"type":"payment_executed","event_version":1,'
        b'"event_id":"b8d4dda0-ff2c-4d77-a6da-4615e4bad941","payment_id":"60c60a60","executed_at":"x"}',
        "b8d4dda0-ff2c-4d77-a6da-4615e4bad941", "payment_executed",
    ),
}  # fmt: skip
SAMPLES["hubspot_v1"] = SAMPLES["hubspot"]
"""Those that the testing kit or the oracles can sign; the older sources have tests of their own."""
