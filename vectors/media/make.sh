#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# make.sh [DIR]: makes the files of this folder in DIR (default: here) out of nothing but generators.
# Needs ffmpeg (libvpx, libopus, drawtext with the DejaVu fonts) and espeak-ng. The same tools give the same bytes.
set -eu
out=$(cd "${1:-$(dirname "$0")}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

quiet="-hide_banner -loglevel error -nostdin -y"
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 -threads 1 -filter_threads 1"
seconds=5

# Three people, three tiles: Alice is a walk into the Mandelbrot set, Bob is Conway's Life, Carol is a test card.
name='drawtext=font=DejaVu Sans:fontcolor=white:fontsize=13:box=1:boxcolor=black@0.6:boxborderw=3:x=6:y=h-th-8'
cat > tiles.txt <<END
mandelbrot=size=192x160:rate=20:start_scale=2:end_scale=0.02:end_pts=100:maxiter=160,format=yuv420p,
  $name:text=Alice [alice];
life=size=48x40:rate=20:seed=9605:ratio=0.2:mold=20:life_color=#9fd356:death_color=#1d3557:mold_color=#14213d,
  scale=192:160:flags=neighbor+bitexact+accurate_rnd,format=yuv420p,$name:text=Bob [bob];
testsrc2=size=384x80:rate=20,format=yuv420p,$name:text=Carol [carol];
[alice][bob] hstack [above];
[above][carol] vstack,
  drawtext=font=DejaVu Sans Mono:fontcolor=white:fontsize=12:box=1:boxcolor=black@0.6:boxborderw=3:x=w-tw-8:y=8:
  text='frame %{n}',trim=duration=$seconds,setsar=1
END
# shellcheck disable=SC2086
ffmpeg $quiet -filter_complex_script tiles.txt $exact \
  -c:v libvpx -b:v 400k -qmax 44 -deadline good -cpu-used 0 -auto-alt-ref 0 -lag-in-frames 0 \
  -g 40 -keyint_min 40 -f ivf "$out/standup.ivf"

# Two voices, each a sentence; silence up to the length of the picture.
espeak-ng -v en-gb+f2 -s 190 -p 55 -w alice.wav "Good morning. The new epoch is up, every frame is sealed."
espeak-ng -v en-us+m3 -s 190 -p 38 -w bob.wav "My code reads the same."
# shellcheck disable=SC2086
ffmpeg $quiet -i alice.wav -i bob.wav \
  -filter_complex "[0:a][1:a]concat=n=2:v=0:a=1,aresample=48000,apad=whole_dur=$seconds,atrim=duration=$seconds" \
  $exact -c:a libopus -b:a 24k -vbr on -application voip -frame_duration 20 -ac 1 -f ogg "$out/standup.opus"

# What ffmpeg reads in the two files: time, duration, size and CRC-32 of every packet.
for file in standup.ivf standup.opus; do
  # shellcheck disable=SC2086
  ffmpeg $quiet -i "$out/$file" $exact -c copy -f framehash -hash crc32 "$out/$file.framehash"
done
