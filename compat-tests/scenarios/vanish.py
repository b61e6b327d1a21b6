"""Opens connections to ADDRESS, asks something on each, and vanishes without telling the other side.

Arguments: ADDRESS, a request that has a large answer, a request that waits long for its answer (both in hexadecimal).
Prints "gone", or "not permitted" where this user may not set TCP_REPAIR: a socket in repair closes without a packet.
"""

import socket
import sys

TCP_REPAIR = 19
EACH = 20

host, port = sys.argv[1].rsplit(":", 1)
large, patient = (bytes.fromhex(request) for request in sys.argv[2:4])
VERSIONS = bytes.fromhex("0000000a0012000000000001ffff")  # ApiVersions 0, without a client's name

peers = []


def peer(request, answer_is_read=False):
    connection = socket.create_connection((host, int(port)))
    connection.sendall(request)
    if answer_is_read:
        connection.recv(65536)
    peers.append(connection)


for _ in range(EACH):
    peer(b"")
    peer(VERSIONS, answer_is_read=True)
    peer(VERSIONS[:7])
    peer(patient)
    peer(large)

try:
    for connection in peers:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
except PermissionError:
    print("not permitted")
    sys.exit()
for connection in peers:
    connection.close()
print("gone")
