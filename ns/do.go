// SPDX-License-Identifier: Apache-2.0

package ns

// Call is Do for a function with a result.
func Call[T any](f func() (T, error), hs ...*Handle) (T, error) {
	var v T
	err := Do(func() (err error) {
		v, err = f()
		return err
	}, hs...)
	return v, err
}
