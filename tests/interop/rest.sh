#!/usr/bin/env bash
# rest.sh [BUILD]: our REST client against a catalog server on this machine (rest_server.sh says which),
# with nothing, tokens, TLS and faults between them. BUILD is build/dev unless given.
#
# Needs OpenSSL's program for a certificate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:-build/dev}
probe=$PWD/$build/rest_probe
passed=0
failed=0
pids=()
work=$(mktemp -d "${TMPDIR:-/tmp}/firn-rest.XXXXXX")

clean_up() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

# ---- What is compared ----------------------------------------------------------------------------

check() { # NAME, then what was found and what is wanted.
    if [[ $2 == "$3" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n  found:  %s\n  wanted: %s\n' "$1" "$2" "$3"
    fi
}

check_holds() { # NAME, text, a part of it.
    if [[ $2 == *"$3"* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n  found: %s\n  must hold: %s\n' "$1" "$2" "$3"
    fi
}

ask() { # The probe's output and errors in one, whatever its exit; at most 60 s.
    timeout 60 "$probe" "$@" 2>&1 || echo "exit $?"
}

# ---- Servers -------------------------------------------------------------------------------------

proxy_count=0
start_proxy() { # Sets `url` to that of a fault proxy in front of the server; more of its options.
    proxy_count=$((proxy_count + 1))
    local told=$work/port.$proxy_count
    python3 tests/tools/fault_proxy.py 0 "$server" "$@" >"$told" 2>"$work/proxy.$proxy_count.log" &
    pids+=($!)
    for _ in $(seq 1000); do
        [[ -s $told ]] && break
        sleep 0.05
    done
    url=http://127.0.0.1:$(cat "$told")
}

faults() { # A JSON list of faults for the next requests of the plain proxy.
    curl -fsS -o /dev/null -X POST "$proxy/-/reset"
    curl -fsS -o /dev/null -X POST --data "$1" "$proxy/-/faults"
}

read -r pid server root set < <(bash tests/interop/rest_server.sh 0 "$work")
pids+=("$pid")
start_proxy
proxy=$url
start_proxy --client root:s3cr3t --token-ttl 3
guarded=$url

spaces=$(python3 - "$set" <<'PYTHON'
import sqlite3
import sys
catalog = sqlite3.connect(f"file:{sys.argv[1]}/catalog.db?mode=ro&immutable=1", uri=True)
print(*[row[0] for row in catalog.execute("SELECT DISTINCT table_namespace FROM iceberg_tables ORDER BY 1")])
PYTHON
)

# ---- The server itself ---------------------------------------------------------------------------

for threads in "" 1; do
    [[ -n $threads ]] && export NO_THREAD=1 || unset NO_THREAD
    check "namespaces$threads" "$(ask "$server" namespaces | xargs)" \
        "$spaces"
    check "tables$threads" "$(ask "$server" list db | xargs)" "table regions table sales"
    check_holds "views$threads" "$(ask "$server" list views)" "view simple"
    found=$(ask "$server" load db sales)
    check_holds "load$threads" "$found" "file:$root/db/sales/metadata/"
    check_holds "metadata$threads" "$found" "format-version 2"
    check_holds "the etag is known again$threads" "$found" $'\nunchanged'
    check_holds "a view$threads" "$(ask "$server" load views simple)" $'\nview '
    check "no such table$threads" "$(ask "$server" load db nope)" \
        "not found: table \"db.nope\" of catalog \"probe\": NoSuchTableException: Table does not exist: db.nope (HTTP 404)
exit 1"
done
unset NO_THREAD
check_holds "no such namespace" "$(ask "$server" list nope)" "NoSuchNamespaceException"
check "no child namespaces" "$(ask "$server" namespaces db)" ""

# All tables of the set: what the server says is where the set's own list says it is.
while IFS=$'\t' read -r space name location; do
    check_holds "load $space.$name" "$(ask "$server" load "$space" "$name")" "$location"
done < <(python3 - "$set" <<'PYTHON'
import sqlite3
import sys
catalog = sqlite3.connect(f"file:{sys.argv[1]}/catalog.db?mode=ro&immutable=1", uri=True)
for row in catalog.execute("SELECT table_namespace, table_name, metadata_location FROM iceberg_tables"
                           " ORDER BY 1, 2 LIMIT 25"):
    print(*row, sep="\t")
PYTHON
)

# A namespace of two levels and names that must be encoded, made and dropped again.
post() {
    curl -fsS -o /dev/null -X POST -H 'Content-Type: application/json' --data "$2" "$server/v1/$1"
}
post namespaces '{"namespace":["rest test ä"],"properties":{}}'
post namespaces '{"namespace":["rest test ä","in ner"],"properties":{}}'
check "a nested namespace" "$(ask "$server" namespaces 'rest test ä')" "rest test ä.in ner"
check "an empty list" "$(ask "$server" list 'rest test ä' 'in ner')" ""
curl -fsS -o /dev/null -X DELETE "$server/v1/namespaces/rest%20test%20%C3%A4%2Ein%20ner"
curl -fsS -o /dev/null -X DELETE "$server/v1/namespaces/rest%20test%20%C3%A4"

# ---- Updates that no statement makes yet -----------------------------------------------------------

# What there is after each commit: snapshots, statistics of them and of their partitions, schemas, specs,
# encryption keys. The last two commits are of version 3.
post namespaces '{"namespace":["updates"],"properties":{}}'
post namespaces/updates/tables "{\"name\":\"t\",\"location\":\"file:$work/updates\",\"schema\":{
    \"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"a\",\"required\":false,\"type\":\"long\"}]}}"
check "updates" "$(ask "$server" updates updates t)" "set-statistics: 1 1 1 1 1 0
remove-statistics: 1 0 0 1 1 0
add-schema, add-spec: 1 0 0 2 2 0
remove-schemas, remove-partition-specs: 1 0 0 1 1 0
add-encryption-key: 1 0 0 1 1 1
remove-encryption-key: 1 0 0 1 1 0"
curl -fsS -o /dev/null -X DELETE "$server/v1/namespaces/updates/tables/t"
curl -fsS -o /dev/null -X DELETE "$server/v1/namespaces/updates"

# ---- Tokens --------------------------------------------------------------------------------------

check_holds "no token" "$(ask "$guarded" list db)" "no valid bearer token (HTTP 401)"
found=$(TOKEN=hunter22 ask "$guarded" list db)
check_holds "a wrong token" "$found" "HTTP 401"
found=$(CREDENTIAL=root:hunter22 ask "$guarded" list db)
check_holds "a wrong credential" "$found" "invalid_client: wrong client id or secret (HTTP 401)"
[[ $found != *hunter22* ]] || check "secrets stay secret" "$found" ""
export CREDENTIAL=root:s3cr3t
check "a credential" "$(ask "$guarded" list db | xargs)" "table regions table sales"
# An old token is refused, and a new one fetched with the credential.
check "an old token" "$(TOKEN=old ask "$guarded" list db | xargs)" "table regions table sales"
unset CREDENTIAL

# ---- Faults --------------------------------------------------------------------------------------

ok="table regions table sales"
faults '[{"do":"status","match":"GET","status":503,"headers":{"Retry-After":"0"},"times":2}]'
check "503 and then well" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"status","status":429,"times":-1,"body":{"error":{"message":"slow","type":"Throttled"}}}]'
check_holds "429 for ever" "$(ask "$proxy" list db)" "Throttled: slow (HTTP 429)"
faults '[{"do":"status","status":503,"headers":{"Retry-After":"3600"},"times":-1}]'
check_holds "an hour is too long" "$(ask "$proxy" list db)" "(HTTP 503)"
faults '[{"do":"cut","times":1}]'
check "hung up once" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"half","match":"/tables","times":2}]'
check "half a body, twice" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"lose","match":"/tables","times":1}]'
check "a lost answer" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"cut","times":-1}]'
check_holds "hung up for ever" "$(ask "$proxy" list db)" "tried 5 times"
faults '[{"do":"garbage","times":-1}]'
check_holds "garbage" "$(ask "$proxy" list db)" "HTTP/0.9"
faults '[{"do":"slow","match":"/config","ms":20}]'
check "slow" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"endless","match":"/tables","times":1}]'
check_holds "no end" "$(REQUEST_TIMEOUT=50000 ask "$proxy" get v1/namespaces/db/tables)" \
    "more than the allowed"
faults '[{"do":"hang","times":-1}]'
check_holds "hangs" "$(REQUEST_TIMEOUT=200 ask "$proxy" list db)" "no whole answer came in time"
faults '[{"do":"hang","match":"/tables","after":10,"times":-1}]'
check_holds "hangs in the body" "$(REQUEST_TIMEOUT=200 ask "$proxy" list db)" \
    "no whole answer came in time"
for threads in "" 1; do
    [[ -n $threads ]] && export NO_THREAD=1 || unset NO_THREAD
    faults '[{"do":"hang","times":-1}]'
    start=$(date +%s%N)
    found=$(CANCEL_AFTER=100 ask "$proxy" list db)
    took=$((($(date +%s%N) - start) / 1000000))
    check_holds "cancelled$threads" "$found" "cancelled"
    [[ $took -lt 20000 ]] && took=soon # Nothing else would end it so early.
    check "cancelled soon$threads" "$took" "soon"
done
unset NO_THREAD
faults "[{\"do\":\"redirect\",\"match\":\"/config\",\"to\":\"$server/v1/config\"}]"
check "a redirect" "$(ask "$proxy" list db | xargs)" "$ok"
faults '[{"do":"redirect","to":"/v1/config","times":-1}]'
check_holds "redirects for ever" "$(ask "$proxy" list db)" "redirects more than 5 times"
faults '[{"do":"status","status":500,"body":"<html>oops</html>","times":-1}]'
check_holds "HTML" "$(ask "$proxy" list db)" \
    "the configuration of catalog \"probe\": \"$proxy\" refuses it without a message (HTTP 500)"

# ---- TLS -----------------------------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
start_proxy --tls "$work/cert.pem" "$work/key.pem"
tls_port=${url##*:}
check_holds "an unknown certificate" "$(ask "https://localhost:$tls_port" list db)" "certificate"
export SSL_CERT_FILE=$work/cert.pem
check "a trusted certificate" "$(ask "https://localhost:$tls_port" list db | xargs)" "$ok"
check_holds "another host's certificate" "$(ask "https://127.0.0.1:$tls_port" list db)" "127.0.0.1"
unset SSL_CERT_FILE

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
