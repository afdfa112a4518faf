# Every module that is built for this kernel (tests/vm/drivers) loads, and goes again.
for file in "/lib/modules/$(uname -r)/extra"/*.ko; do
  module=$(basename "$file" .ko)
  check "$module loads" modprobe "$module"
  check "$module goes" modprobe -r "$module"
done
