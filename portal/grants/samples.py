"""The texts of the copy-and-run examples (调用示例), one program a language, without values.

What is signed and which headers carry it stands here once, for all languages; `examples` fills in a grant.
"""

from __future__ import annotations

from typing import Final

# What the signature is made over, in order, and the headers it travels in: every program names these things alike.
SIGNED: Final = ("METHOD", "CALL", "STAMP", "NONCE", "DIGEST")
HEADERS: Final = (
    ("X-Gov-Key", "KEY"),
    ("X-Gov-Timestamp", "STAMP"),
    ("X-Gov-Nonce", "NONCE"),
    ("X-Gov-Digest", "DIGEST"),
    ("X-Gov-Signature", "SIGNATURE"),
)

SHELL: Final = f"""\
KEY={{key}}
SECRET={{secret}}
METHOD=POST
CALL={{path}}
BODY={{body}}
STAMP=$(date +%s%3N)
NONCE=$(openssl rand -hex 16)
DIGEST=$(printf '%s' "$BODY" | openssl dgst -sha256 -r | cut -d' ' -f1)
SIGNATURE=$(printf '%s\\n%s\\n%s\\n%s\\n%s' {" ".join(f'"${name}"' for name in SIGNED)} |
  openssl dgst -{{digest}} -hmac "$SECRET" -binary | base64 -w0)
curl -sS {{site}}"$CALL" -H 'Content-Type: application/json' \\
  {" ".join(f'-H "{header}: ${name}"' for header, name in HEADERS)} \\
  --data-raw "$BODY"
"""

PYTHON: Final = f"""\
import base64, hashlib, hmac, secrets, time, urllib.error, urllib.request

KEY, SECRET = {{key}}, {{secret}}
METHOD, CALL = "POST", {{path}}
BODY = {{body}}.encode()
STAMP, NONCE = str(int(time.time() * 1000)), secrets.token_hex(16)
DIGEST = hashlib.sha256(BODY).hexdigest()
TEXT = "\\n".join(({", ".join(SIGNED)}))
SIGNATURE = base64.b64encode(hmac.digest(SECRET.encode(), TEXT.encode(), "{{digest}}")).decode()
HEADERS = {{{{"Content-Type": "application/json", {", ".join(f'"{header}": {name}' for header, name in HEADERS)}}}}}
try:
    print(urllib.request.urlopen(urllib.request.Request({{site}} + CALL, BODY, HEADERS)).read().decode())
except urllib.error.HTTPError as refusal:
    raise SystemExit(refusal.read().decode())
"""

JAVA: Final = f"""\
import java.net.URI;
import java.net.http.*;
import java.security.*;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import static java.nio.charset.StandardCharsets.UTF_8;

public class Call {{{{
    public static void main(String[] args) throws Exception {{{{
        String KEY = {{key}}, SECRET = {{secret}};
        String METHOD = "POST", CALL = {{path}};
        String BODY = {{body}};
        String STAMP = String.valueOf(System.currentTimeMillis()), NONCE = UUID.randomUUID().toString();
        String DIGEST = hex(MessageDigest.getInstance("SHA-256").digest(BODY.getBytes(UTF_8)));
        String TEXT = String.join("\\n", {", ".join(SIGNED)});
        String SIGNATURE = Base64.getEncoder().encodeToString(hmac(SECRET.getBytes(UTF_8), TEXT.getBytes(UTF_8)));
        HttpRequest request = HttpRequest.newBuilder(URI.create({{site}} + CALL))
            .headers("Content-Type", "application/json", {", ".join(f'"{header}", {name}' for header, name in HEADERS)})
            .POST(HttpRequest.BodyPublishers.ofString(BODY)).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body());
        System.exit(answer.statusCode() == 200 ? 0 : 1);
    }}}}

    static String hex(byte[] bytes) {{{{
        StringBuilder text = new StringBuilder();
        for (byte one : bytes) text.append(String.format("%02x", one));
        return text.toString();
    }}}}
{{hmac}}}}}}
"""

JAVA_HMAC_SHA256: Final = """
    static byte[] hmac(byte[] secret, byte[] text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        return mac.doFinal(text);
    }
"""

# The library of Java has no SM3: the compression function of GB/T 32905-2016, then HMAC over blocks of 64 bytes.
JAVA_HMAC_SM3: Final = """
    static byte[] hmac(byte[] secret, byte[] text) {
        byte[] pad = Arrays.copyOf(secret.length > 64 ? sm3(secret) : secret, 64), inner = pad.clone(), outer = pad.clone();
        for (int i = 0; i < 64; i++) { inner[i] ^= 0x36; outer[i] ^= 0x5c; }
        return sm3(join(outer, sm3(join(inner, text))));
    }

    static byte[] join(byte[] first, byte[] second) {
        byte[] whole = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, whole, first.length, second.length);
        return whole;
    }

    static byte[] sm3(byte[] message) {
        java.nio.ByteBuffer blocks = java.nio.ByteBuffer.allocate((message.length + 72) / 64 * 64);
        blocks.put(message).put((byte) 0x80).putLong(blocks.capacity() - 8, message.length * 8L).rewind();
        int[] v = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
        while (blocks.hasRemaining()) {
            int[] w = new int[68], r = v.clone();
            for (int i = 0; i < 16; i++) w[i] = blocks.getInt();
            for (int i = 16; i < 68; i++) {
                int x = w[i - 16] ^ w[i - 9] ^ turn(w[i - 3], 15);
                w[i] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(w[i - 13], 7) ^ w[i - 6];
            }
            for (int i = 0; i < 64; i++) {
                int a = turn(r[0], 12), s = turn(a + r[4] + turn(i < 16 ? 0x79cc4519 : 0x7a879d8a, i), 7);
                int f = i < 16 ? r[0] ^ r[1] ^ r[2] : r[0] & r[1] | r[0] & r[2] | r[1] & r[2];
                int g = i < 16 ? r[4] ^ r[5] ^ r[6] : r[4] & r[5] | ~r[4] & r[6];
                int t = f + r[3] + (s ^ a) + (w[i] ^ w[i + 4]), u = g + r[7] + s + w[i];
                r = new int[] {t, r[0], turn(r[1], 9), r[2], u ^ turn(u, 9) ^ turn(u, 17), r[4], turn(r[5], 19), r[6]};
            }
            for (int i = 0; i < 8; i++) v[i] ^= r[i];
        }
        java.nio.ByteBuffer digest = java.nio.ByteBuffer.allocate(32);
        for (int word : v) digest.putInt(word);
        return digest.array();
    }

    static int turn(int word, int by) {
        return Integer.rotateLeft(word, by);
    }
"""
