#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first program of the virtual machine: modules, the host's root under a layer in memory, and
# then guest.sh of the share.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
while read -r module parameters; do
  # shellcheck disable=SC2086  # words of their own
  $b insmod "/modules/$module" $parameters || $b echo "$module: cannot be loaded"
done </modules/order
fast=trans=virtio,version=9p2000.L,msize=524288
$b mount -t 9p -o $fast,cache=loose,ro root /ro || $b poweroff -f
$b mount -t tmpfs -o size=1g tmpfs /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay /new
$b mount -t tmpfs tmpfs /new/run
$b mkdir /new/run/host
$b mount -t 9p -o $fast share /new/run/host
for each in proc sys dev; do $b mount --move /$each /new/$each; done
exec $b switch_root /new /bin/sh /run/host/guest.sh
