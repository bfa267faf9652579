// Checks an exported log with golang.org/x/mod/sumdb: another hand's tiles, proofs and signed notes.
//
//	go run checklog.go DIR VKEY [OLDER-CHECKPOINT...]
//
// Opens DIR/checkpoint with the verifier key, reads every entry from the bundles, and checks each one's inclusion through
// the tiles, the root of the whole tree, and that each older checkpoint is the beginning of it. Prints what it counted.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}

func number(n int64, width int) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	if width < 256 {
		text += ".p/" + strconv.Itoa(width)
	}
	return text
}

// tiles reads hash tiles of height 8 by C2SP's paths; x/mod's own paths carry the height.
type tiles struct{ dir string }

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := filepath.Join(t.dir, "tile", strconv.Itoa(tile.L), number(tile.N, tile.W))
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func open(path string, verifiers note.Verifiers) tlog.Tree {
	data, err := os.ReadFile(path)
	if err != nil {
		fail(path, err)
	}
	signed, err := note.Open(data, verifiers)
	if err != nil {
		fail(path, err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != signed.Sigs[0].Name {
		fail(path, fmt.Errorf("not origin, size and root"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail(path, err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail(path, err)
	}
	return tlog.Tree{N: size, Hash: root}
}

func entries(dir string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		path := filepath.Join(dir, "tile", "entries", number(n, int(width)))
		data, err := os.ReadFile(path)
		if err != nil {
			fail(path, err)
		}
		for len(data) > 0 {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				fail(path, fmt.Errorf("cut"))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:end])
			data = data[end:]
		}
	}
	return all
}

func main() {
	dir := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fail("verifier key", err)
	}
	verifiers := note.VerifierList(verifier)
	tree := open(filepath.Join(dir, "checkpoint"), verifiers)
	reader := tlog.TileHashReader(tree, tiles{dir})

	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		fail("root", fmt.Errorf("%v %v", root, err))
	}
	all := entries(dir, tree.N)
	if int64(len(all)) != tree.N {
		fail("entries", fmt.Errorf("%d of %d", len(all), tree.N))
	}
	for n, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(n), reader)
		if err != nil {
			fail("proof", err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(n), tlog.RecordHash(entry)); err != nil {
			fail(fmt.Sprintf("entry %d", n), err)
		}
	}
	older := 0
	for _, path := range os.Args[3:] {
		old := open(path, verifiers)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err != nil {
			fail(path, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			fail(path, err)
		}
		older++
	}
	fmt.Printf("size %d entries %d older %d\n", tree.N, len(all), older)
}
