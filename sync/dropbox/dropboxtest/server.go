package dropboxtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// Server is one Dropbox account and its HTTP server. All methods may be called
// concurrently.
type Server struct {
	// Fixed after New.
	opt     Options
	members []*member // the first is Options.Account
	store   store
	disk    disk
	log     requestLog
	faults  faultPlan
	auth    authState
	done    chan struct{} // closed by Close
	peers   []*Server     // the others of its group
	front   front
	meter   *meter

	// mu guards what follows, and the directory against the API.
	mu          sync.Mutex
	tree        *tree
	jobs        map[string]*job
	sessions    map[string]*session
	restricted  map[string]bool      // ids of what may not be had
	locks       map[string]*fileLock // by file id
	uploadLinks map[string]*uploadLink
	epoch       int // cursors of an older one are reset
}

// New makes a server. With Options.Dir it takes in what happened in that
// directory since the last time, and watches it until Close.
func New(opt Options) (*Server, error) {
	opt.setDefaults()
	s := &Server{opt: opt, done: make(chan struct{}), jobs: map[string]*job{}, sessions: map[string]*session{}, restricted: map[string]bool{}, locks: map[string]*fileLock{}, uploadLinks: map[string]*uploadLink{}, disk: noDisk{}, meter: newMeter()}
	s.auth.init(&s.opt)
	s.faults.inject(opt.Faults...)
	sum := sha256.Sum256([]byte(opt.Account.ID))
	prefix := sum[:8]
	if opt.State == "" {
		s.store = newMemStore()
	} else {
		fst, err := openFileStore(opt.State, opt.After)
		if err != nil {
			return nil, err
		}
		s.store = fst
	}
	s.tree = newTree(&s.opt, s.store, prefix)
	s.members = []*member{{Account: opt.Account}}
	if opt.Team != nil {
		s.tree.namespace = opt.Team.NamespaceID
		for _, a := range opt.Team.Members {
			s.members = append(s.members, &member{Account: a})
		}
	}
	for i, m := range s.members {
		m.memberID = fmt.Sprintf("dbmid:AAHhy7WsR0x-u4ZCqiDl5Fz5zvuL3kmspw%d", i)
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.store.close())
	}
	return s, nil
}

func (s *Server) open() error {
	if err := s.store.load(s.tree.apply); err != nil {
		return err
	}
	if s.opt.State != "" && len(s.tree.journal) == 0 {
		// Ids must differ from those of a state that was lost, as with a new account.
		prefix := make([]byte, 8)
		if _, err := rand.Read(prefix); err != nil {
			return fmt.Errorf("make ids: %w", err)
		}
		s.tree.commit(record{Op: "head", ID: base64.RawURLEncoding.EncodeToString(prefix)})
	}
	s.makeSpaces()
	if s.opt.Dir == "" {
		return nil
	}
	d, err := openDirDisk(s)
	if err != nil {
		return err
	}
	s.disk = d
	return nil
}

// makeSpaces makes the folders that an account begins with: members' homes and
// an app's folder.
func (s *Server) makeSpaces() {
	if s.opt.Team != nil {
		for _, m := range s.members {
			if s.tree.spaces[m.NamespaceID] == nil {
				s.tree.share(s.tree.addFolder(s.tree.root, m.Name, nil), m.NamespaceID, m.ID)
			}
		}
	}
	if s.opt.AppFolder == "" {
		return
	}
	for i, m := range s.members {
		parent, _ := s.home(m)
		for _, name := range []string{"Apps", s.opt.AppFolder} {
			n, _, _ := at(parent, []string{name})
			if n == nil {
				n = s.tree.addFolder(parent, name, nil)
			}
			parent = n
		}
		if parent.ns == "" {
			s.tree.share(parent, strconv.Itoa(99000001+i), m.ID)
		}
	}
}

// Close ends all connections and the watching of Dir. It gives the first error
// that the state could not be written with.
func (s *Server) Close() error {
	servers := s.front.take()
	select {
	case <-s.done:
		return nil
	default:
		close(s.done)
	}
	err := closeAll(servers)
	err = errors.Join(err, s.disk.close())
	s.mu.Lock()
	sessions := s.sessions
	s.sessions = map[string]*session{}
	s.mu.Unlock()
	for _, sess := range sessions { // not under mu: a finish holds its session and waits for mu
		err = errors.Join(err, sess.drop())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.tree.failed, s.store.close())
}

// Start serves HTTP on Options.Addr and gives the base URL, without a slash at
// its end.
func (s *Server) Start() (string, error) { return s.front.start(s, s.opt.Addr) }

// StartTLS serves HTTPS on addr for the given host names, with a certificate
// of a certificate authority made for this server. It gives that authority's
// certificate as PEM, for a client to trust. Clients of the real names need a
// hosts file that leads those names to addr.
func (s *Server) StartTLS(addr string, hosts []string) (ca []byte, err error) {
	return s.front.startTLS(s, addr, hosts, s.opt.Now())
}

// URL gives what Start gave, or "".
func (s *Server) URL() string { return s.front.base() }

// linkBase stands before the path of links that are handed out.
func (s *Server) linkBase() string {
	if s.opt.BaseURL != "" {
		return s.opt.BaseURL
	}
	if url := s.URL(); url != "" {
		return url
	}
	return "https://www.dropbox.com"
}

// Account gives the account with its defaults filled in.
func (s *Server) Account() Account { return s.opt.Account }

// Inject adds faults; each counts its calls from now on.
func (s *Server) Inject(faults ...Fault) { s.faults.inject(faults...) }

// ClearFaults ends all faults.
func (s *Server) ClearFaults() { s.faults.clear() }

// Restrict makes the bytes of a file unavailable, as after a claim of copyright;
// its metadata stays. What is no file's id does nothing.
func (s *Server) Restrict(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restricted[id] = true
}

// ResetCursors makes every cursor given out so far answer reset.
func (s *Server) ResetCursors() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	close(s.tree.changed)
	s.tree.changed = make(chan struct{})
}

// Settle takes in at once what a person did in Dir, files that are still open
// included. Without Dir it does nothing.
func (s *Server) Settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disk.settleAll()
}

// wait sleeps on the server's clock; it gives false when ctx or the server ends.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-s.opt.After(d):
		return true
	case <-ctx.Done():
		return false
	case <-s.done:
		return false
	}
}
