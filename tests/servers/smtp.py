# A mail server for tests: takes mail over TLS (from the first byte, or after STARTTLS) from who logs in, and says on
# standard output, one line of JSON each, what Python's own parser reads in it. It ends when its standard input does.
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

certificate, key, user, password, mode = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(certificate, key)


def say(it):
    print(json.dumps(it), flush=True)


def judge(server, session, envelope, mechanism, given):
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (user.encode(), password.encode())
    return AuthResult(success=known)


class Box:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return f"550 5.1.1 <{address}>: nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        over = server.transport.get_extra_info("ssl_object")
        say({
            "tls": over.version() if over else None,
            "authenticated": session.authenticated,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_content(),
            "defects": [str(defect) for defect in mail.defects],
            "ascii": envelope.original_content.isascii(),
            "longest_line": max(map(len, envelope.original_content.split(b"\r\n"))),
        })
        return "250 taken"


def protocol():
    after = {"tls_context": tls, "require_starttls": True} if mode == "starttls" else {"auth_require_tls": False}
    return SMTP(Box(), hostname="localhost", authenticator=judge, auth_required=True, **after)


async def main():
    loop = asyncio.get_running_loop()
    context = tls if mode == "implicit" else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context)
    say({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
