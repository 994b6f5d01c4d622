#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the certificates beside this file with the openssl command alone, so that the tests read
# what another program wrote. Run it by hand to make them anew (openssl 3); the keys are thrown away.
set -eu
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

key() { openssl genpkey -quiet -out "$keys/$1" $2; }
P256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
for name in root intermediate noncritical foreign expired notca p256; do key $name "$P256"; done
key p384 "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"
key p521 "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"
key rsa1024 "-algorithm RSA -pkeyopt rsa_keygen_bits:1024"
key rsa2048 "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
key ed25519 "-algorithm ED25519"

mkdir "$keys/db"
touch "$keys/db/index"
cat > "$keys/ca.cnf" <<CNF
[ca]
default_ca = this
[this]
database = $keys/db/index
new_certs_dir = $keys/db
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = none
[any]
commonName = optional
serialNumber = optional
[req]
distinguished_name = dn
[dn]
[v3_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[v3_ca_noncritical]
basicConstraints = CA:TRUE
[v3_leaf]
keyUsage = critical, digitalSignature
[v3_bare]
subjectKeyIdentifier = hash
[v3_san]
keyUsage = critical, digitalSignature
subjectAltName = DNS:device.example
[v3_encipher]
keyUsage = critical, keyEncipherment
[v3_critical]
1.3.6.1.4.1.32473.1 = critical, ASN1:NULL
[v3_ca_leaf]
basicConstraints = critical, CA:TRUE
CNF

# issue NAME KEY SUBJECT ISSUER EXTENSIONS FROM TO
issue() {
  openssl req -new -config "$keys/ca.cnf" -key "$keys/$2" -subj "$3" -out "$keys/req"
  if [ "$4" = self ]; then
    signer="-selfsign -keyfile $keys/$2"
  else
    signer="-cert $4.pem -keyfile $keys/$4"
  fi
  openssl ca -batch -notext -config "$keys/ca.cnf" -md "${hash:-sha256}" $signer -extensions "$5" \
    -startdate "$6" -enddate "$7" -in "$keys/req" -out "$1.pem" 2>/dev/null
}
BEGIN=20250101000000Z
FOREVER=99991231235959Z

issue root root "/CN=Example Root" self v3_ca $BEGIN $FOREVER
issue foreign foreign "/CN=Foreign Root" self v3_ca $BEGIN $FOREVER
issue intermediate intermediate "/CN=Example IDevID CA" root v3_ca $BEGIN $FOREVER
issue noncritical noncritical "/CN=Lenient CA" root v3_ca_noncritical $BEGIN $FOREVER
issue expired expired "/CN=Expired CA" root v3_ca $BEGIN 20250601000000Z
issue notca notca "/CN=Device/serialNumber=SN-0" intermediate v3_leaf 20250201000000Z $FOREVER

leaf() { issue "leaf-$1" "$2" "/CN=M1/serialNumber=SN-1" "$3" "$4" "$5" "${6:-$FOREVER}"; }
leaf good p256 intermediate v3_leaf 20250201000000Z
leaf bare p256 intermediate v3_bare 20250201000000Z
leaf san p256 intermediate v3_san 20250201000000Z
leaf p384 p384 intermediate v3_leaf 20250201000000Z
leaf rsa2048 rsa2048 intermediate v3_leaf 20250201000000Z
leaf ended p256 intermediate v3_leaf 20250201000000Z 20250301000000Z
leaf rsa1024 rsa1024 intermediate v3_leaf 20250201000000Z
leaf ed25519 ed25519 intermediate v3_leaf 20250201000000Z
leaf p521 p521 intermediate v3_leaf 20250201000000Z
leaf noncritical p256 noncritical v3_leaf 20250201000000Z
leaf expired-issuer p256 expired v3_leaf 20250201000000Z
leaf after-issuer p256 expired v3_leaf 20250701000000Z
leaf foreign p256 foreign v3_leaf 20250201000000Z
leaf from-device p256 notca v3_leaf 20250201000000Z
leaf encipher p256 intermediate v3_encipher 20250201000000Z
leaf critical p256 intermediate v3_critical 20250201000000Z
leaf ca p256 intermediate v3_ca_leaf 20250201000000Z
hash=sha1
leaf sha1 p256 intermediate v3_leaf 20250201000000Z
hash=sha256
issue leaf-two-numbers p256 "/serialNumber=SN-1/serialNumber=SN-2" intermediate v3_leaf 20250201000000Z $FOREVER
issue leaf-no-number p256 "/CN=M1" intermediate v3_leaf 20250201000000Z $FOREVER

for name in p256 p384 rsa2048 rsa1024 ed25519 p521; do
  openssl req -new -config "$keys/ca.cnf" -key "$keys/$name" -subj "/serialNumber=SN-1" \
    -outform DER -out "request-$name.der"
done
openssl req -new -config "$keys/ca.cnf" -key "$keys/p256" -subj "/serialNumber=SN-1" -sha1 \
  -outform DER -out request-sha1.der
