;; The two loops that touch every byte of a prompt, 16 and more bytes at a step: skipping the inside
;; of JSON strings and hashing blocks. `scripts/generate-wasm.ts` compiles this file; prompt-kernel.ts
;; is the only one to call it. All places in memory are told by the exported globals.
;;
;;   0x000  key: 16 vectors that are added to a block's 16 vectors
;;   0x100  four odd multipliers
;;   0x120  chain: the hash so far
;;   0x200  what a byte is to an escape: bit 0 completes one after a backslash, bit 1 is a hex digit
;;   0x300  scratch: the padded last block
;;   0x400  hashes of the blocks of one call, 8 bytes each, 256 at most
;;   0xf00  carry: bytes that lie before the input in the same prompt, up to 256, ending at the input
;;  0x1000  input: 64 KiB, and room behind it that loads of whole vectors may reach into
;; 0x12000  the tables of json-grammar.ts: the class of each byte, then
;; 0x12100  the transitions
;; 0x16000  levels: for each container that is open, from where a walk began, 1 if it is an object
;; 0x17000  where the last walk stopped: the row, then the number of levels
(module
  (memory (export "memory") 2 2)
  (global (export "key") i32 (i32.const 0x000))
  (global (export "chain") i32 (i32.const 0x120))
  (global (export "hashes") i32 (i32.const 0x400))
  (global (export "input") i32 (i32.const 0x1000))
  (global (export "classes") i32 (i32.const 0x12000))
  (global (export "transitions") i32 (i32.const 0x12100))
  (global (export "levels") i32 (i32.const 0x16000))
  (global (export "walked") i32 (i32.const 0x17000))

  ;; Short escapes: " / \ b f n r t
  (data (i32.const 0x222) "\01")
  (data (i32.const 0x22f) "\01")
  (data (i32.const 0x25c) "\01")
  (data (i32.const 0x26e) "\01")
  (data (i32.const 0x272) "\01")
  (data (i32.const 0x274) "\01")
  ;; Hex digits, of which b and f also are short escapes.
  (data (i32.const 0x230) "\02\02\02\02\02\02\02\02\02\02")
  (data (i32.const 0x241) "\02\02\02\02\02\02")
  (data (i32.const 0x261) "\02\03\02\02\02\03")

  ;; Marks the bytes that end a run: the quote, the backslash and controls.
  (func $stops (param $bytes v128) (result v128)
    (v128.or
      (v128.or
        (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
        (i8x16.eq (local.get $bytes) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92)))
      (i8x16.le_u (local.get $bytes) (v128.const i8x16 31 31 31 31 31 31 31 31 31 31 31 31 31 31 31 31))))

  (func $isHex (param $at i32) (result i32)
    (i32.and (i32.load8_u offset=0x200 (i32.load8_u (local.get $at))) (i32.const 2)))

  ;; Whether `\uXXXX` stands at $at; reads six bytes, or fewer up to the first that is wrong.
  (func $isUnicodeEscape (param $at i32) (result i32)
    (if (i32.ne (i32.load16_u (local.get $at)) (i32.const 0x755c)) (then (return (i32.const 0))))
    (i32.and
      (i32.and (call $isHex (i32.add (local.get $at) (i32.const 2)))
               (call $isHex (i32.add (local.get $at) (i32.const 3))))
      (i32.and (call $isHex (i32.add (local.get $at) (i32.const 4)))
               (call $isHex (i32.add (local.get $at) (i32.const 5))))))

  ;; Whether `\uXXXX\uXXXX` stands at $at.
  (func $isUnicodePair (param $at i32) (result i32)
    (local $bytes v128)
    (local.set $bytes (v128.load (local.get $at)))
    (i32.eq
      (i32.or
        (i32.and
          (i8x16.bitmask
            (i8x16.eq (local.get $bytes) (v128.const i8x16 92 117 0 0 0 0 92 117 0 0 0 0 0 0 0 0)))
          (i32.const 0x0c3))
        (i32.and
          (i8x16.bitmask
            (v128.or
              (i8x16.le_u
                (i8x16.sub (local.get $bytes) (v128.const i8x16 48 48 48 48 48 48 48 48 48 48 48 48 48 48 48 48))
                (v128.const i8x16 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9))
              (i8x16.le_u
                (i8x16.sub
                  (v128.or (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
                  (v128.const i8x16 97 97 97 97 97 97 97 97 97 97 97 97 97 97 97 97))
                (v128.const i8x16 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5))))
          (i32.const 0xf3c)))
      (i32.const 0xfff)))

  ;; Address of the first byte in [$at, $end) that a string's body cannot pass over: its closing
  ;; quote, a control, or an escape that is wrong or not wholly before $end. $end if there is none.
  (func $skip (export "skip") (param $at i32) (param $end i32) (result i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $marks i64) (local $stop i32) (local $next i32)
    (loop $step
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $end))))
      (local.set $a (call $stops (v128.load (local.get $at))))
      (local.set $b (call $stops (v128.load offset=16 (local.get $at))))
      (local.set $c (call $stops (v128.load offset=32 (local.get $at))))
      (local.set $d (call $stops (v128.load offset=48 (local.get $at))))
      (if (i32.eqz
            (v128.any_true
              (v128.or
                (v128.or (local.get $a) (local.get $b))
                (v128.or (local.get $c) (local.get $d)))))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (br $step)))
      (local.set $marks
        (i64.or
          (i64.extend_i32_u
            (i32.or
              (i8x16.bitmask (local.get $a))
              (i32.shl (i8x16.bitmask (local.get $b)) (i32.const 16))))
          (i64.shl
            (i64.extend_i32_u
              (i32.or
                (i8x16.bitmask (local.get $c))
                (i32.shl (i8x16.bitmask (local.get $d)) (i32.const 16))))
            (i64.const 32))))
      (loop $mark
        (local.set $stop
          (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $marks)))))
        (if (i32.ge_u (local.get $stop) (local.get $end)) (then (return (local.get $end))))
        (if (i32.ne (i32.load8_u (local.get $stop)) (i32.const 92))
          (then (return (local.get $stop))))
        (local.set $next (i32.add (local.get $stop) (i32.const 2)))
        (if (i32.gt_u (local.get $next) (local.get $end)) (then (return (local.get $stop))))
        (if (i32.eqz
              (i32.and
                (i32.load8_u offset=0x200 (i32.load8_u offset=1 (local.get $stop)))
                (i32.const 1)))
          (then
            (local.set $next (i32.add (local.get $stop) (i32.const 6)))
            (if (i32.gt_u (local.get $next) (local.get $end)) (then (return (local.get $stop))))
            (if (i32.eqz (call $isUnicodeEscape (local.get $stop)))
              (then (return (local.get $stop))))
            ;; Texts that are not Latin, written in ASCII, are nothing but such escapes.
            (if (i32.and
                  (i32.le_u (i32.add (local.get $next) (i32.const 12)) (local.get $end))
                  (call $isUnicodePair (local.get $next)))
              (then
                (loop $pair
                  (local.set $next (i32.add (local.get $next) (i32.const 12)))
                  (br_if $pair
                    (i32.and
                      (i32.le_u (i32.add (local.get $next) (i32.const 12)) (local.get $end))
                      (call $isUnicodePair (local.get $next)))))
                (local.set $at (local.get $next))
                (br $step)))))
        ;; Marks before $next are done with.
        (if (i32.lt_u (i32.sub (local.get $next) (local.get $at)) (i32.const 64))
          (then
            (local.set $marks
              (i64.and
                (local.get $marks)
                (i64.shl
                  (i64.const -1)
                  (i64.extend_i32_u (i32.sub (local.get $next) (local.get $at))))))
            (br_if $mark (i64.ne (local.get $marks) (i64.const 0))))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (if (i32.gt_u (local.get $next) (local.get $at)) (then (local.set $at (local.get $next))))
      (br $step))
    (unreachable))

  ;; Follows the grammar from $row at $at, inside a container of which no value is reported, up to
  ;; $end or to the first byte that needs more than this: the end of that container, a byte that
  ;; the grammar does not allow, a container that would be more than $depth levels deeper. Returns
  ;; the address and leaves the row and the levels. The numbers are those of json-grammar.ts.
  (func (export "walk")
    (param $at i32) (param $end i32) (param $row i32) (param $depth i32) (result i32)
    (local $next i32) (local $level i32) (local $kind i32)
    ;; In an array the row has 4096.
    (i32.store8 (i32.const 0x16000) (i32.eqz (i32.and (local.get $row) (i32.const 4096))))
    (if (i32.ge_u (i32.and (local.get $row) (i32.const 2047)) (i32.const 1152))
      (then (local.set $at (call $skip (local.get $at) (local.get $end)))))
    (block $stop
      (loop $byte
        (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $next
          (i32.load16_u offset=0x12100
            (i32.shl
              (i32.or
                (local.get $row)
                (i32.load8_u offset=0x12000 (i32.load8_u (local.get $at))))
              (i32.const 1))))
        ;; A state.
        (if (i32.lt_u (local.get $next) (i32.const 8192))
          (then
            (local.set $row (local.get $next))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $byte)))
        ;; A state inside a string.
        (if (i32.lt_u (local.get $next) (i32.const 16384))
          (then
            (local.set $row (i32.xor (local.get $next) (i32.const 8192)))
            (local.set $at
              (call $skip (i32.add (local.get $at) (i32.const 1)) (local.get $end)))
            (br $byte)))
        ;; A container opens: an object with 16385, an array with 16386.
        (if (i32.le_u (i32.sub (local.get $next) (i32.const 16385)) (i32.const 1))
          (then
            (br_if $stop (i32.eq (local.get $level) (local.get $depth)))
            (local.set $kind (i32.sub (i32.const 16386) (local.get $next)))
            (local.set $level (i32.add (local.get $level) (i32.const 1)))
            (i32.store8 offset=0x16000 (local.get $level) (local.get $kind))
            (local.set $row
              (select (i32.const 2112) (i32.const 4128) (local.get $kind)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $byte)))
        ;; A container closes: 16387 and 16388.
        (if (i32.le_u (i32.sub (local.get $next) (i32.const 16387)) (i32.const 1))
          (then
            (br_if $stop (i32.eqz (local.get $level)))
            (local.set $level (i32.sub (local.get $level) (i32.const 1)))
            (local.set $row
              (select
                (i32.const 2208)
                (i32.const 4288)
                (i32.load8_u offset=0x16000 (local.get $level))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $byte)))))
    (i32.store (i32.const 0x17000) (local.get $row))
    (i32.store (i32.const 0x17004) (local.get $level))
    (local.get $at))

  ;; The chain after the block at $at. Each two vectors X, Y of the block add (X + K) * (Y + L) to
  ;; sums of 64 bits, lane by lane (NH, RFC 4418 section 5.2.2), and X and Y themselves to the other
  ;; sum. Then the four sums are stirred into the chain, for given sums a bijection of it.
  (func $compress (param $chain i64) (param $at i32) (result i64)
    (local $x v128) (local $y v128) (local $a v128) (local $b v128) (local $key i32) (local $t i64)
    (loop $pair
      (local.set $x (v128.load (local.get $at)))
      (local.set $y (v128.load offset=16 (local.get $at)))
      (local.set $a (i64x2.add (local.get $a) (local.get $y)))
      (local.set $b (i64x2.add (local.get $b) (local.get $x)))
      (local.set $x (i32x4.add (local.get $x) (v128.load (local.get $key))))
      (local.set $y (i32x4.add (local.get $y) (v128.load offset=16 (local.get $key))))
      (local.set $a
        (i64x2.add (local.get $a) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $y))))
      (local.set $b
        (i64x2.add (local.get $b) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $y))))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (local.set $key (i32.add (local.get $key) (i32.const 32)))
      (br_if $pair (i32.lt_u (local.get $key) (i32.const 256))))
    (local.set $t
      (i64.xor
        (local.get $chain)
        (i64.add
          (i64.mul (i64x2.extract_lane 0 (local.get $a)) (i64.load (i32.const 0x100)))
          (i64.rotl
            (i64.mul (i64x2.extract_lane 1 (local.get $a)) (i64.load (i32.const 0x108)))
            (i64.const 32)))))
    (local.set $t (i64.xor (local.get $t) (i64.shr_u (local.get $t) (i64.const 32))))
    (local.set $t (i64.mul (local.get $t) (i64.const 0x9fb21c651e98df25)))
    (local.set $t
      (i64.xor
        (local.get $t)
        (i64.add
          (i64.mul (i64x2.extract_lane 0 (local.get $b)) (i64.load (i32.const 0x110)))
          (i64.rotl
            (i64.mul (i64x2.extract_lane 1 (local.get $b)) (i64.load (i32.const 0x118)))
            (i64.const 32)))))
    (local.set $t (i64.xor (local.get $t) (i64.shr_u (local.get $t) (i64.const 29))))
    (local.set $t (i64.mul (local.get $t) (i64.const 0xbf58476d1ce4e5b9)))
    (i64.xor (local.get $t) (i64.shr_u (local.get $t) (i64.const 32))))

  ;; Takes the whole blocks of [$at, $end) into the chain and writes the chain after each of them.
  (func (export "hash") (param $at i32) (param $end i32)
    (local $chain i64) (local $out i32)
    (local.set $chain (i64.load (i32.const 0x120)))
    (local.set $out (i32.const 0x400))
    (block $done
      (loop $block
        (br_if $done
          (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 256)))
        (local.set $chain (call $compress (local.get $chain) (local.get $at)))
        (i64.store (local.get $out) (local.get $chain))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (i32.const 256)))
        (br $block)))
    (i64.store (i32.const 0x120) (local.get $chain)))

  ;; Takes the last $length bytes at $at, less than a block, and their number into the chain.
  (func (export "finish") (param $at i32) (param $length i32)
    (memory.fill (i32.const 0x300) (i32.const 0) (i32.const 256))
    (memory.copy (i32.const 0x300) (local.get $at) (local.get $length))
    (i64.store
      (i32.const 0x120)
      (call $compress
        (i64.xor
          (i64.load (i32.const 0x120))
          (i64.mul
            (i64.extend_i32_u (i32.add (local.get $length) (i32.const 1)))
            (i64.const 0x9e3779b97f4a7c15)))
        (i32.const 0x300)))))
