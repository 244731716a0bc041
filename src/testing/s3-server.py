"""OpenStack Swift with its S3 API, whole, in one process and one folder: for tests. See docs/decisions/0018-s3.md.

Takes one line of JSON on stdin: access_key (ACCOUNT:USER), secret_key, region. Prints the port, a line, once it answers.
Ends, and removes its folder, when stdin is closed: also when whoever started it was killed.
"""

import json
import logging.handlers
import os
import signal
import sys
import tempfile

import eventlet
from swift.common import utils

utils.eventlet_monkey_patch()

from eventlet import wsgi
from eventlet.green import os as green_os
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, loadapp

STORES = ("account", "container", "object")

# There is no other machine to turn to: they wait for each other, however busy this one is, and give nobody up.
PATIENCE = """
conn_timeout = 30
node_timeout = 60
"""

STORE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}
mount_check = false
fallocate_reserve = 0
log_level = ERROR
container_update_timeout = 60

[app:main]
use = egg:swift#{kind}
""" + PATIENCE

# As Swift's manual has it for S3 with its own accounts; the proxy adds what else it requires by itself. Pages of a
# listing are short, so that tests turn some without a thousand objects.
PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = ERROR

[pipeline:main]
pipeline = catch_errors gatekeeper s3api tempauth slo proxy-server

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:s3api]
use = egg:swift#s3api
location = {region}
max_bucket_listing = 50

[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret_key} .admin

[filter:slo]
use = egg:swift#slo

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
error_suppression_interval = 0
""" + PATIENCE


class Cache:
    """In place of memcached, which the accounts ask for. Whoever changes something deletes what is kept of it."""

    def __init__(self):
        self.kept = {}

    def get(self, key, *_, **__):
        return self.kept.get(key)

    def set(self, key, value, *_, **__):
        self.kept[key] = value

    def delete(self, key, *_, **__):
        self.kept.pop(key, None)


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def save_ring(folder, kind, port):
    builder = RingBuilder(part_power=0, replicas=1, min_part_hours=0)
    builder.add_dev(
        {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "device"}
    )
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, kind + ".ring.gz"))


def listen():
    return eventlet.listen(("127.0.0.1", 0), backlog=128)


def serve(listener, app):
    # The headers' capitals as the S3 API has them; Swift's own servers run with the same.
    eventlet.spawn(
        wsgi.server,
        listener,
        app,
        utils.NullLogger(),
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,
    )


def start(folder, access_key, secret_key, region):
    os.mkdir(os.path.join(folder, "device"))
    write(folder, "swift.conf", "[swift-hash]\nswift_hash_path_suffix = tests\n")
    utils.set_swift_dir(folder)

    listeners = {kind: listen() for kind in STORES}
    for kind, listener in listeners.items():
        save_ring(folder, kind, listener.getsockname()[1])
        serve(listener, loadapp(write(folder, kind + ".conf", STORE.format(folder=folder, kind=kind))))

    user = access_key.replace(":", "_")
    proxy = PROXY.format(folder=folder, region=region, user=user, secret_key=secret_key)
    app = loadapp(write(folder, "proxy.conf", proxy))
    cache = Cache()
    front = listen()
    serve(front, lambda env, respond: app({**env, "swift.cache": cache}, respond))
    return front.getsockname()[1]


def main():
    # Errors go where the tests can see them, not into the machine's log.
    logging.handlers.SysLogHandler.emit = lambda self, record: print(self.format(record), file=sys.stderr)
    # Ctrl-C in a terminal reaches this process too: it ends by its stdin all the same.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(sys.stdin.readline())
    with tempfile.TemporaryDirectory(prefix="wisbot-s3-") as folder:
        print(start(folder, **asked), flush=True)
        # Else a read would hold up the servers, which are on the same thread.
        os.set_blocking(0, False)
        while green_os.read(0, 4096):
            pass


main()
