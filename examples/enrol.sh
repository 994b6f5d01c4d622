#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Enrol a device with curl and openssl alone: docs/protocols/native.md, sections in brackets.
#
#   examples/enrol.sh [--address https://HOST:PORT] [--wait SECONDS] [--once] DEVICE-STORE STATE
#
# DEVICE-STORE is what `homeport factory mint --split` wrote for one device (with its key in a file,
# P-256). STATE is a directory for the operational key and what the platform answers; run it again
# with the same one and it is the same request. --address is where to connect instead of the
# manufacturer's default; the platform must have the pinned name all the same. A parked device asks
# again until somebody says whose it is, or not, with --once.
#
# Exit status: 0 enrolled, 1 refused or failed, 2 usage, 3 sent to another platform, 4 still parked.

set -euo pipefail
umask 077

readonly ANSWER_MAX=262144
readonly DOMAIN_SIGNER=2.25.147607185417439928704113280383695297367

die() { printf 'enrol.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
say() { printf '%s\n' "$*"; }

# --- base64 and JSON, as far as this needs them -------------------------------------------------

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

from_base64url() {
  local text
  text=$(tr -- '-_' '+/')
  while (( ${#text} % 4 )); do text+='='; done
  base64 -d <<<"$text"
}

sha256() { openssl dgst -sha256 -binary; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { printf '%b' "$(sed 's/../\\x&/g')"; }

# Values of a JSON object on one line, as our platform writes it. A text with escapes is not read:
# none of the members that are used here has one.
text_of() { sed -n 's/.*"'"$1"'" *: *"\([^"\\]*\)".*/\1/p'; }
number_of() { sed -n 's/.*"'"$1"'" *: *\([0-9][0-9]*\).*/\1/p'; }
texts_of() { sed -n 's/.*"'"$1"'" *: *\[\([^]]*\)\].*/\1/p' | tr -d '" ' | tr ',' '\n'; }

# The texts between quotation marks in device.toml; TOML escapes them as JSON does.
setting() { sed -n 's/^'"$1"' *= *"\(.*\)"$/\1/p' "$store/device.toml" | sed -n 1p; }

to_pem() {
  local certificate
  while read -r certificate; do
    say '-----BEGIN CERTIFICATE-----'
    fold -w64 <<<"$certificate"
    say '-----END CERTIFICATE-----'
  done
}

# --- what the device has -------------------------------------------------------------------------

read_arguments() {
  address='' wait=0 once='' store='' state=''
  while (( $# )); do
    case $1 in
      --address) address=${2:?--address needs a value}; shift 2 ;;
      --wait) wait=${2:?--wait needs a value}; shift 2 ;;
      --once) once=yes; shift ;;
      -*) die "unknown option $1" 2 ;;
      *) if [[ -z $store ]]; then store=$1; else state=$1; fi; shift ;;
    esac
  done
  [[ -n $state ]] ||
    die 'usage: enrol.sh [--address URL] [--wait SECONDS] [--once] DEVICE-STORE STATE' 2
}

read_store() {
  [[ -r $store/device.toml ]] || die "no device.toml in $store"
  model=$(setting model) serial_number=$(setting serial_number)
  name=$(setting name) url=$(setting url)
  local key
  key=$(setting idevid_key)
  [[ $key == file:* ]] || die "the IDevID's key is not in a file: $key"
  idevid_key=${key#file:}
  [[ $idevid_key == /* ]] || idevid_key=$store/$idevid_key
  openssl pkey -in "$idevid_key" -noout -text | grep -q 'prime256v1' || die 'the key is not P-256'
  chain=$(x5c_of "$store/idevid.pem")
}

# [3.1] x5c is the certificates in base64: what stands between the lines of their PEM.
x5c_of() {
  local line certificate='' list=''
  while read -r line; do
    case $line in
      -----BEGIN*) certificate='' ;;
      -----END*) list+=${list:+,}\"$certificate\" ;;
      *) certificate+=$line ;;
    esac
  done <"$1"
  printf '%s' "$list"
}

# [3.2] One operational key, one PKCS#10 request, one request id; kept, so that a repeated request
# gets the same certificate.
make_key() {
  mkdir -p "$state"
  [[ -s $state/ldevid.key ]] ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/ldevid.key"
  [[ -s $state/request-id ]] || openssl rand -hex 16 >"$state/request-id"
  # The subject does not matter: the platform takes the key and decides the names.
  csr=$(openssl req -new -key "$state/ldevid.key" -subj '/CN=operational' -outform DER | base64 -w0)
}

# --- talking to the platform ---------------------------------------------------------------------

# [1] Always the pinned name: the certificate must be for it, wherever the address is.
open_connection() {
  local port=${url#https://}
  [[ $port == *:* ]] && port=${port##*:} || port=443
  base=https://$name:$port
  connect=()
  if [[ -n $address ]]; then
    local there=${address#https://}
    there=${there%%/*}
    [[ $there =~ :[0-9]+$ ]] || there+=:443
    connect=(--connect-to "$name:$port:$there")
  fi
}

http() {
  curl --silent --show-error --proto '=https' --max-redirs 0 --max-time 60 \
    --cacert "$store/platform.pem" --max-filesize "$ANSWER_MAX" "${connect[@]}" \
    --output "$tmp/body" --write-out '%{http_code}' "$@"
}

# [2]
greet() {
  local status greeting
  status=$(http "$base/.well-known/homeport") || die "no platform at ${address:-$base}"
  greeting=$(<"$tmp/body")
  [[ $status == 200 && $(number_of homeport <<<"$greeting") == 1 ]] ||
    die "that is no platform ($status)"
  enrol=$(text_of enrol <<<"$greeting") nonce=$(text_of nonce <<<"$greeting")
  # A request is signed for this URL; another name's could be used against that one.
  [[ $enrol == "https://$name:"* || $enrol == "https://$name/"* ]] ||
    die "the platform names another: $enrol"
}

# [3] The flattened JWS. openssl signs in DER; JOSE wants r and s, 32 octets each (RFC 7518 3.4).
build_request() {
  local header payload signature
  device_nonce=$(openssl rand -base64 16)
  header='{"alg":"ES256","typ":"homeport-enrol+jws","url":"'$enrol'","nonce":"'$nonce'"'
  header+=',"x5c":['$chain']}'
  payload='{"version":1,"request_id":"'$(<"$state/request-id")'"'
  payload+=',"device_nonce":"'$device_nonce'","serial_number":"'$serial_number'"'
  payload+=',"model":"'$model'","csr":"'$csr'","agent":"enrol.sh","wait":'$wait'}'
  signed=$(printf %s "$header" | base64url).$(printf %s "$payload" | base64url)
  signature=$(printf %s "$signed" | openssl dgst -sha256 -sign "$idevid_key" |
    openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | to_64_digits | unhex | base64url)
  request_hash=$(printf %s "$signed.$signature" | sha256 | base64 -w0)
  printf '{"protected":"%s","payload":"%s","signature":"%s"}' \
    "${signed%.*}" "${signed#*.}" "$signature" >"$tmp/request"
}

to_64_digits() {
  local number
  while read -r number; do printf '%64s' "$number"; done | tr ' ' 0
}

ask() {
  local status
  build_request
  status=$(http -H 'Content-Type: application/jose+json' --data-binary "@$tmp/request" "$enrol") ||
    die 'the platform does not answer'
  [[ $status == 200 ]] && return
  # [4.4]
  local problem
  problem=$(<"$tmp/body")
  die "refused ($status $(text_of code <<<"$problem")): $(text_of title <<<"$problem")
  $(text_of advice <<<"$problem")"
}

# --- believing the answer ------------------------------------------------------------------------

# [4] Signed by the platform's domain key, over our nonce and our request; else it is not believed.
verify_answer() {
  local jws protected payload header
  jws=$(<"$tmp/body")
  protected=$(text_of protected <<<"$jws") payload=$(text_of payload <<<"$jws")
  header=$(from_base64url <<<"$protected")
  [[ $(text_of typ <<<"$header") == homeport-answer+jws ]] || die 'what was signed is no answer'
  [[ $(text_of alg <<<"$header") == ES256 ]] || die 'the answer is signed with another algorithm'

  texts_of x5c <<<"$header" | to_pem >"$tmp/chain.pem"
  openssl x509 -in "$tmp/chain.pem" -out "$tmp/domain.pem"
  openssl verify -no-CApath -no-CAstore -CAfile "$store/platform.pem" -untrusted "$tmp/chain.pem" \
    -verify_hostname "$name" "$tmp/domain.pem" >"$tmp/log" 2>&1 ||
    die "the answer's signer is not the platform: $(<"$tmp/log")"
  openssl x509 -in "$tmp/domain.pem" -noout -ext extendedKeyUsage | grep -qF "$DOMAIN_SIGNER" ||
    die 'the certificate is not for answers'

  text_of signature <<<"$jws" | from_base64url | hex | to_der "$tmp/signature"
  openssl x509 -in "$tmp/domain.pem" -noout -pubkey -out "$tmp/domain.pub"
  printf %s "$protected.$payload" |
    openssl dgst -sha256 -verify "$tmp/domain.pub" -signature "$tmp/signature" >"$tmp/log" 2>&1 ||
    die "the answer's signature is wrong"

  answer=$(from_base64url <<<"$payload")
  [[ $(text_of device_nonce <<<"$answer") == "$device_nonce" &&
    $(text_of request_hash <<<"$answer") == "$request_hash" ]] || die 'an answer to another request'
}

# r and s side by side to the SEQUENCE of two INTEGERs that openssl verifies.
to_der() {
  local digits
  read -r digits || true
  (( ${#digits} == 128 )) || die "the answer's signature has the wrong length"
  openssl asn1parse -noout -out "$1" -genconf <(
    printf 'asn1=SEQUENCE:both\n[both]\n'
    printf 'r=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${digits:0:64}" "${digits:64}"
  )
}

# --- what came of it -----------------------------------------------------------------------------

# [4.1]
enrolled() {
  local endpoint device topics fingerprint ends
  texts_of certificate <<<"$answer" | to_pem >"$state/ldevid.pem"
  # The platform's anchors are the last member of that name: endpoints may have their own before.
  texts_of anchors <<<"$answer" | to_pem >"$state/anchors.pem"
  openssl verify -no-CApath -no-CAstore -CAfile "$state/anchors.pem" \
    -untrusted "$state/ldevid.pem" "$state/ldevid.pem" >"$tmp/log" 2>&1 ||
    die "the certificate does not hold: $(<"$tmp/log")"
  device=$(text_of device <<<"$answer") topics=$(text_of topics <<<"$answer")
  endpoint=${answer#*\"endpoints\":[}
  endpoint=${endpoint%%\}*}
  fingerprint=$(openssl x509 -in "$state/ldevid.pem" -outform DER | sha256 | hex)
  ends=$(openssl x509 -in "$state/ldevid.pem" -noout -enddate)

  say "Enrolled as $device."
  say "  certificate  $state/ldevid.pem, until ${ends#notAfter=}"
  say "  private key  $state/ldevid.key"
  say "  tenant       $(text_of tenant <<<"$answer")"
  say "  topics       $topics/…"
  say ''
  say 'The first message completes the enrolment. With mosquitto-clients:'
  say ''
  # The broker's certificate is for its name, so the name must lead to its address.
  say "  mosquitto_pub -V mqttv311 -i $device \\"
  say "    -h $(text_of host <<<"$endpoint") -p $(number_of port <<<"$endpoint") \\"
  say "    --cafile $state/anchors.pem --cert $state/ldevid.pem --key $state/ldevid.key \\"
  say "    -q 1 -r -t $topics/state \\"
  say "    -m '{\"state\":\"online\",\"credential\":\"$fingerprint\"}'"
  say "and then, with -t $topics/up/temperature -m 21.5, whatever the device has to say."
}

# [4.2] On one connection a device would save a handshake; curl opens one for each request.
parked() {
  say "Parked: $(text_of missing <<<"$answer") is missing. $(text_of detail <<<"$answer")"
  [[ -z $once ]] || exit 4
  nonce=$(text_of nonce <<<"$answer") wait=$(number_of wait <<<"$answer")
  sleep "$(number_of retry_after <<<"$answer")"
}

# [4.3] To believe the other platform is to verify the voucher against vouchers.pem: RFC 8366 in a
# JWS, which is more than a shell script should do. `homeport agent` does it.
redirected() {
  say "This device belongs to $(text_of url <<<"$answer"); a voucher for it came along."
  exit 3
}

main() {
  read_arguments "$@"
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  read_store
  make_key
  open_connection
  greet
  while true; do
    ask
    verify_answer
    case $(text_of result <<<"$answer") in
      enrolled) enrolled; exit 0 ;;
      parked) parked ;;
      redirect) redirected ;;
      *) die 'an answer that this version does not know' ;;
    esac
  done
}

main "$@"
