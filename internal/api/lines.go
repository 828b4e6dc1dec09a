// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/types"
	"strings"
)

// lines are what a package exports.
func lines(p *types.Package) (all []string) {
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		printed := printer{p}
		switch o := object.(type) {
		case *types.Func:
			all = append(all, "func "+name+printed.signature(o.Signature()))
		case *types.TypeName:
			all = append(all, printed.named(o)...)
		case *types.Const:
			all = append(all, fmt.Sprintf("const %s %s = %s", name, printed.plain(o.Type()), o.Val().ExactString()))
		default:
			all = append(all, fmt.Sprintf("var %s %s", name, printed.plain(o.Type())))
		}
	}
	return all
}

// printer prints what is of a package as that package's source would, but without the names of parameters, which callers do not use.
type printer struct{ *types.Package }

// named are the lines of a type: its exported fields, and the methods that can be called on its values and on pointers to them.
func (p printer) named(o *types.TypeName) []string {
	name := "type " + p.plain(o.Type())
	if o.IsAlias() {
		return []string{fmt.Sprintf("type %s = %s", o.Name(), p.plain(types.Unalias(o.Type())))}
	}
	var all []string
	switch t := o.Type().Underlying().(type) {
	case *types.Interface:
		return p.methods(name+" interface", t)
	case *types.Struct:
		all = p.fields(name+" struct", t)
	default:
		all = []string{name + " " + p.plain(t)}
	}
	methods := types.NewMethodSet(types.NewPointer(o.Type()))
	for selection := range methods.Methods() {
		method := selection.Obj().(*types.Func)
		if method.Exported() && !promoted(o.Type(), selection) {
			s := method.Signature()
			all = append(all, fmt.Sprintf("method (%s) %s%s", p.plain(s.Recv().Type()), method.Name(), p.signature(s)))
		}
	}
	return all
}

func (p printer) fields(of string, t *types.Struct) []string {
	all := []string{of}
	for field := range t.Fields() {
		switch {
		case field.Exported() && field.Embedded():
			all = append(all, fmt.Sprintf("%s, embedded %s", of, p.plain(field.Type())))
		case field.Exported():
			all = append(all, fmt.Sprintf("%s, %s %s", of, field.Name(), p.plain(field.Type())))
		}
	}
	return all
}

func (p printer) methods(of string, t *types.Interface) []string {
	all := []string{of}
	for method := range t.Methods() {
		if method.Exported() {
			all = append(all, fmt.Sprintf("%s, %s%s", of, method.Name(), p.signature(method.Signature())))
		} else { // no other package can implement it
			all = append(all, of+", unexported methods")
		}
	}
	return all
}

// promoted tells whether a method is one of an exported embedded field, whose line stands for all of them.
func promoted(t types.Type, method *types.Selection) bool {
	return len(method.Index()) > 1 && t.Underlying().(*types.Struct).Field(method.Index()[0]).Exported()
}

func (p printer) signature(s *types.Signature) string {
	var text strings.Builder
	if s.TypeParams() != nil {
		var params []string
		for param := range s.TypeParams().TypeParams() {
			params = append(params, param.Obj().Name()+" "+p.plain(param.Constraint()))
		}
		text.WriteString("[" + strings.Join(params, ", ") + "]")
	}
	params := p.tuple(s.Params())
	if s.Variadic() {
		last := len(params) - 1
		params[last] = "..." + strings.TrimPrefix(params[last], "[]")
	}
	text.WriteString("(" + strings.Join(params, ", ") + ")")
	switch results := p.tuple(s.Results()); len(results) {
	case 0:
	case 1:
		text.WriteString(" " + results[0])
	default:
		text.WriteString(" (" + strings.Join(results, ", ") + ")")
	}
	return text.String()
}

func (p printer) tuple(t *types.Tuple) (all []string) {
	for v := range t.Variables() {
		all = append(all, p.plain(v.Type()))
	}
	return all
}

func (p printer) plain(t types.Type) string {
	return types.TypeString(t, func(of *types.Package) string {
		if of == p.Package {
			return ""
		}
		return of.Name()
	})
}
