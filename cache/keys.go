package cache

import (
	"bytes"
	"encoding/binary"

	"odbxfs"
)

// The keyspaces; doc.go has the table. A keyspace that is listed by prefix has
// its prefix's length in scanLen.
const (
	kCounter    = "s/" // s/ name -> 8 bytes
	kMeta       = "k/" // k/ name -> bytes
	kOdoo       = "on" // on node -> odooRec
	kOdooRef    = "or" // or ref -> node
	kOdooChild  = "oc" // oc parent node
	kOdooCount  = "ok" // ok kind model -> countRec
	kOdooScope  = "os" // os kind model 0 id -> ref
	kDropbox    = "dn" // dn node -> DropboxNode
	kDropboxID  = "di" // di client id -> node
	kDropboxWay = "dp" // dp client folded-path -> node
	kDropboxSub = "dc" // dc parent node
	kDropboxTop = "dr" // dr client -> path
	kPair       = "pn" // pn node -> Pair
	kPairOdoo   = "po" // po ref -> node
	kPairBox    = "pd" // pd id -> node
	kPairChild  = "pc" // pc parent node
	kPairWaits  = "pw" // pw ref -> nodes whose parent's pair is not known yet
	kInode      = "in" // in node -> inodeRec
	kDentry     = "id" // id parent name -> Inode
	kClaim      = "ic" // ic parent name -> nodes that would have this name
	kAlias      = "ia" // ia node -> node that it became
	kEnded      = "ix" // ix node: gone here before Odoo had answered
	kIntent     = "qi" // qi node -> Intent
	kIntentSeq  = "qs" // qs seq -> node
	kIntentOpen = "qo" // qo seq -> node: of one that waits for nobody
	kIntentGone = "qg" // qg seq -> node: of a removal
	kDirty      = "y/" // y/ node
	kTask       = "tq" // tq seq -> Task
	kTaskNode   = "tn" // tn node -> []TaskMark
	kTaskLane   = "tl" // tl client lane seq
	kTaskFrom   = "tf" // tf client folder seq
	kJournal    = "j/" // j/ seq: of a commit that is larger than Badger takes at once
	kJournalEnd = "j!" // j!: the journal is whole
	kTaskEnds   = "te" // te seq: of a deletion
	kTaskPlaced = "tm" // tm client parent folded-name -> []TaskMark
	kLog        = "l/" // l/ seq -> LogLine
	kContent    = "cm" // cm content -> contentRec
	kContentRef = "cr" // cr content 0 owner
)

// scanLen gives the length of the prefix under which key is listed, or 0.
func scanLen(key []byte) int {
	switch string(key[:2]) {
	case kOdooChild, kDropboxSub, kPairChild, kDentry, kTaskPlaced:
		return 10
	case kTaskLane:
		return 11
	case kTaskFrom:
		return 18
	case kDirty, kJournal, kTask, kTaskEnds, kLog, kIntentSeq, kIntentOpen, kIntentGone, kIntent, kOdooCount, kAlias, kEnded, kContent, kDropboxTop:
		return 2
	case kOdooScope, kContentRef:
		return bytes.IndexByte(key[2:], 0) + 3
	}
	return 0
}

func u64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

// lastID reads the id at the end of a key.
func lastID(b []byte) odbxfs.NodeID {
	if len(b) < 8 {
		return 0
	}
	return odbxfs.NodeID(binary.BigEndian.Uint64(b[len(b)-8:]))
}

func keyNode(space string, id odbxfs.NodeID) []byte {
	return u64(append(make([]byte, 0, 10), space...), uint64(id))
}

func keyNodes(space string, a, b odbxfs.NodeID) []byte {
	return u64(u64(append(make([]byte, 0, 18), space...), uint64(a)), uint64(b))
}

func keyLane(c odbxfs.ClientID, l Lane, seq uint64) []byte {
	return u64(append(u64(append(make([]byte, 0, 19), kTaskLane...), uint64(c)), byte(l)), seq)
}

func keyFrom(c odbxfs.ClientID, folder odbxfs.NodeID, seq uint64) []byte {
	return u64(u64(u64(append(make([]byte, 0, 26), kTaskFrom...), uint64(c)), uint64(folder)), seq)
}

func keyPlaced(c odbxfs.ClientID, parent odbxfs.NodeID, name string) []byte {
	return append(u64(u64([]byte(kTaskPlaced), uint64(c)), uint64(parent)), odbxfs.FoldName(name)...)
}

func keySeq(space string, seq uint64) []byte { return keyNode(space, odbxfs.NodeID(seq)) }

func keyName(space string, parent odbxfs.NodeID, name string) []byte {
	return append(u64(append(make([]byte, 0, 10+len(name)), space...), uint64(parent)), name...)
}

func keyText(space, s string) []byte { return append([]byte(space), s...) }

func keyClient(space string, c odbxfs.ClientID, s string) []byte {
	return append(u64([]byte(space), uint64(c)), s...)
}

func keyCount(s odbxfs.OdooScope) []byte {
	return append([]byte{kOdooCount[0], kOdooCount[1], byte(s.Kind)}, s.Model...)
}

func keyScope(s odbxfs.OdooScope) []byte {
	k := append([]byte{kOdooScope[0], kOdooScope[1], byte(s.Kind)}, s.Model...)
	return append(k, 0)
}

func keyContentRef(id odbxfs.ContentID, owner string) []byte {
	return append(append(keyText(kContentRef, string(id)), 0), owner...)
}
